//! One claim of shared counters: rounds until it is granted, refused, or decided alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::sleep;
use tollgate_domain::Timestamp;
use tollgate_policy::{Counter, Held, Measure, Over};

use super::hold::{HeldMeters, Hold};
use super::scripts::{self, Answer, Told};
use super::{Link, Refused, SharedCounters, WhileAway};
use crate::directory::Books;
use crate::levels::Wish;
use crate::meters::{Claims, Meter, Standing, Wanted};

/// How often a claim starts again: because it waited, seeded a counter or its node joined anew.
const ROUNDS_MAX: usize = 8;

impl SharedCounters {
    /// Takes everything that is wished for, or nothing. A meter that is wished for twice is claimed
    /// once.
    pub(crate) async fn claim(
        &self,
        wishes: &[Wish<'_>],
        books: &Books,
        now: Timestamp,
    ) -> Result<Claims, Refused> {
        let places = distinct(wishes);
        if places.is_empty() {
            return Ok(Claims::default());
        }
        let wanted: Vec<&Wish<'_>> = places.iter().map(|at| &wishes[*at]).collect();
        for _ in 0..ROUNDS_MAX {
            match self.attempt(&wanted, books, now).await {
                Ok(Some(claims)) => return Ok(claims),
                Ok(None) => {}
                Err(Refused::Over(over)) => {
                    return Err(Refused::Over(Over { index: places[over.index], ..over }));
                }
                Err(refused) => return Err(refused),
            }
        }
        Err(Refused::Away)
    }

    /// One round; `None` when there has to be another.
    async fn attempt(
        &self,
        wishes: &[&Wish<'_>],
        books: &Books,
        now: Timestamp,
    ) -> Result<Option<Claims>, Refused> {
        let Some(link) = self.link().await else { return self.claim_alone(wishes) };
        let Ok(place) = self.queue.clone().try_reserve_owned() else { return Err(Refused::Away) };
        let hold = Hold::new(self.calls.fetch_add(1, Ordering::Relaxed), place);
        let told: Vec<Told<'_>> = wishes.iter().map(|wish| tell(wish, now)).collect();
        let mut connection = link.connection.clone();
        let answer = link.place.claim(&mut connection, hold.call(), &told).await;
        match answer {
            Ok(Answer::Held(counters)) => {
                return Ok(self.granted(&link, wishes, (hold, &counters)));
            }
            Ok(answer) => {
                hold.refused();
                self.after(&link, (answer, wishes), books, now).await?;
            }
            // Whether it was granted is not known: dropping the hold gives it back.
            Err(_) => self.lose(&link),
        }
        Ok(None)
    }

    /// What an answer other than a grant asks for before the next round.
    async fn after(
        &self,
        link: &Arc<Link>,
        (answer, wishes): (Answer, &[&Wish<'_>]),
        books: &Books,
        now: Timestamp,
    ) -> Result<(), Refused> {
        match answer {
            Answer::Over(index, counter) => {
                let wish = wishes.get(index).ok_or(Refused::Away)?;
                wish.wanted.meter.show(counter);
                return Err(Refused::Over(wish.wanted.over(index, &counter)));
            }
            Answer::Unknown(places) => return self.seed(link, (&places, wishes), books, now).await,
            Answer::Wait(wait) => sleep(wait.min(self.patience)).await,
            Answer::Lost => self.lose(link),
            Answer::Held(_) => {}
        }
        Ok(())
    }

    async fn seed(
        &self,
        link: &Arc<Link>,
        (places, wishes): (&[usize], &[&Wish<'_>]),
        books: &Books,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut seeds = Vec::with_capacity(places.len());
        for wish in places.iter().filter_map(|at| wishes.get(*at)) {
            let counter = books.spent_so_far(wish.subject, wish.wanted.meter.tally(), wish.cadence);
            let counter = counter.await;
            let kept = scripts::kept(&wish.wanted.claim.window, now);
            seeds.push((wish.wanted.meter.name(), counter.map_err(Refused::Ledger)?, kept));
        }
        match link.place.seed(&mut link.connection.clone(), &seeds).await {
            Ok(true) => {}
            Ok(false) | Err(_) => self.lose(link),
        }
        Ok(())
    }

    /// `None` when the link was lost meanwhile: a node that joins again tells of what `live` knows
    /// and gives back the rest, so this claim may be gone. Dropped, it is given back in any case.
    fn granted(
        &self,
        link: &Arc<Link>,
        wishes: &[&Wish<'_>],
        (mut hold, counters): (Hold, &[Counter]),
    ) -> Option<Claims> {
        if counters.len() != wishes.len() {
            return None;
        }
        let mut standing = Standing::default();
        let held = wishes.iter().zip(counters).map(|(wish, counter)| {
            wish.wanted.meter.show(*counter);
            standing.note(&wish.wanted, counter);
            held_of(&wish.wanted, counter)
        });
        let held: HeldMeters = held.collect();
        hold.granted(held, &self.live);
        let present = self.state.borrow().link.clone();
        let linked = present.is_some_and(|present| Arc::ptr_eq(&present, link));
        linked.then(|| Claims::shared(hold, standing))
    }

    /// Grants of this node's share. `None` when Redis is back.
    fn claim_alone(&self, wishes: &[&Wish<'_>]) -> Result<Option<Claims>, Refused> {
        let outage = self.state.borrow().outage.clone();
        let Some(outage) = outage else { return Ok(None) };
        let shares = self.while_away == WhileAway::Share && outage.knows_nodes();
        if !shares && wishes.iter().any(|wish| caps_money(wish)) {
            return Err(Refused::Away);
        }
        let Ok(place) = self.queue.clone().try_reserve_owned() else { return Err(Refused::Away) };
        let mut hold = Hold::new(self.calls.fetch_add(1, Ordering::Relaxed), place);
        let slices: Vec<Arc<Meter>> =
            wishes.iter().map(|wish| outage.slice(wish.wanted.meter)).collect();
        let wanted = wishes.iter().zip(&slices).map(|(wish, slice)| {
            let mut claim = wish.wanted.claim;
            let known = wish.wanted.meter.known(&claim.window);
            claim.cap = claim.cap.map(|cap| outage.share(cap, &known));
            Wanted { meter: slice, measure: wish.wanted.measure, claim }
        });
        let wanted: Vec<Wanted<'_>> = wanted.collect();
        let mut door = outage.door();
        if !door.open {
            hold.refused();
            return Ok(None);
        }
        match Claims::take(&wanted) {
            Ok(mut claims) => {
                door.used = true;
                hold.granted(claims.surrender(), &self.live);
                Ok(Some(Claims::shared(hold, claims.standing())))
            }
            Err(over) => {
                hold.refused();
                Err(Refused::Over(over))
            }
        }
    }
}

/// The first place of each meter.
fn distinct(wishes: &[Wish<'_>]) -> Vec<usize> {
    let is_first = |at: &usize| {
        let meter = wishes[*at].wanted.meter;
        !wishes[..*at].iter().any(|wish| Arc::ptr_eq(wish.wanted.meter, meter))
    };
    (0..wishes.len()).filter(is_first).collect()
}

fn tell<'a>(wish: &'a Wish<'_>, now: Timestamp) -> Told<'a> {
    Told {
        counter: wish.wanted.meter.name(),
        claim: wish.wanted.claim,
        from_zero: wish.wanted.measure != Measure::Money,
        kept: scripts::kept(&wish.wanted.claim.window, now),
    }
}

fn held_of(wanted: &Wanted<'_>, counter: &Counter) -> (Arc<Meter>, Measure, Held) {
    let held = Held { start: counter.start, amount: wanted.claim.amount };
    (Arc::clone(wanted.meter), wanted.measure, held)
}

fn caps_money(wish: &Wish<'_>) -> bool {
    wish.wanted.measure == Measure::Money && wish.wanted.claim.cap.is_some()
}
