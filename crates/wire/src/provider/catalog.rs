//! All providers, found by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::Provider;
use super::schema::ProviderFile;

/// The files of `providers/`, sorted: name and text.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// All providers.
#[derive(Debug, Clone)]
pub struct Catalog {
    providers: Vec<Arc<Provider>>,
    /// Index into `providers` by name and by alias.
    by_name: BTreeMap<String, usize>,
}

/// Why provider files are not a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogError {
    /// A file cannot be read as a provider.
    #[error("the provider file `{file}` cannot be read: {detail}")]
    Unreadable {
        /// The file's name.
        file: String,
        /// What the reader says, with the line.
        detail: String,
    },
    /// A file holds a provider of another name.
    #[error("the provider file `{file}` holds the provider `{name}`")]
    OtherName {
        /// The file's name.
        file: String,
        /// The provider's name.
        name: String,
    },
    /// Two providers share a name or an alias.
    #[error("two providers are called `{name}`")]
    Taken {
        /// The name or alias.
        name: String,
    },
}

impl Catalog {
    /// The catalog that this build carries.
    ///
    /// # Errors
    /// [`CatalogError`] when one of its files is wrong, which a test of this crate excludes.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::read(EMBEDDED.iter().copied())
    }

    /// A catalog of provider files, each a name and its text.
    ///
    /// # Errors
    /// [`CatalogError`] with the first file that is wrong.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, CatalogError> {
        let mut catalog = Self { providers: Vec::new(), by_name: BTreeMap::new() };
        for (file, text) in files {
            catalog.add(read_provider(file, text)?)?;
        }
        Ok(catalog)
    }

    /// The provider of this name or alias.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.get(*self.by_name.get(name)?)
    }

    /// Every provider, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.iter()
    }

    fn add(&mut self, provider: Provider) -> Result<(), CatalogError> {
        let names = std::iter::once(provider.name.as_str().to_owned());
        for name in names.chain(provider.aliases.iter().cloned()) {
            if self.by_name.insert(name.clone(), self.providers.len()).is_some() {
                return Err(CatalogError::Taken { name });
            }
        }
        self.providers.push(Arc::new(provider));
        Ok(())
    }
}

fn read_provider(file: &str, text: &str) -> Result<Provider, CatalogError> {
    let unreadable = |detail: String| CatalogError::Unreadable { file: file.to_owned(), detail };
    let written: ProviderFile =
        toml::from_str(text).map_err(|error| unreadable(error.to_string().trim().to_owned()))?;
    let provider = written.into_provider().map_err(|error| unreadable(error.to_string()))?;
    let name = provider.name.as_str();
    if file.strip_suffix(".toml") != Some(name) {
        return Err(CatalogError::OtherName { file: file.to_owned(), name: name.to_owned() });
    }
    Ok(provider)
}
