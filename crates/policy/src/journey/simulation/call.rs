//! One call in a world: the shell's part, in the shape that the gateway's own loop has.

use tollgate_domain::{FailureClass, Ticks};

use super::faults::Outcome;
use super::world::World;
use crate::fallback::Chain;
use crate::health::{Ending, Pass};
use crate::journey::{Attempt, AttemptFailure, Cause, Journey, JourneyRules, Step};
use crate::route::PassedOver;

/// Where a call is.
enum State {
    /// It asks for its next step then.
    Asks(Ticks),
    UnderWay(UnderWay),
    Over,
}

struct UnderWay {
    until: Ticks,
    attempt: Attempt,
    passes: [Pass; 2],
    member: usize,
    failure: Option<AttemptFailure>,
}

/// What a call did at a group, as far as the checks have to know it.
#[derive(Default)]
pub(super) struct Visit {
    pub(super) group: usize,
    /// Members that were tried, each time.
    pub(super) tried: Vec<usize>,
    /// Members that were passed over for good.
    pub(super) passed_over: Vec<usize>,
    pub(super) last: Option<FailureClass>,
}

pub(super) struct Call {
    pub(super) journey: Journey,
    state: State,
    pub(super) deadline: Option<Ticks>,
    pub(super) own_fault: Option<FailureClass>,
    pub(super) own: Option<Chain>,
    first: usize,
    pub(super) visits: Vec<Visit>,
    pub(super) chosen: Vec<usize>,
    pub(super) attempts: u32,
    settled: u32,
    finals: u32,
    /// Whether an attempt ended so that nothing may follow it.
    pub(super) sealed: bool,
    steps: u32,
}

impl Call {
    pub(super) fn new(
        first: usize,
        (at, deadline): (Ticks, Option<Ticks>),
        own_fault: Option<FailureClass>,
        rules: JourneyRules,
        own: Option<Chain>,
    ) -> Self {
        Self {
            journey: Journey::new(rules, own.clone(), deadline),
            state: State::Asks(at),
            deadline,
            own_fault,
            own,
            first,
            visits: Vec::new(),
            chosen: vec![first],
            attempts: 0,
            settled: 0,
            finals: 0,
            sealed: false,
            steps: 0,
        }
    }

    /// When something happens to it; nothing once it is over.
    pub(super) const fn at(&self) -> Option<Ticks> {
        match &self.state {
            State::Asks(at) => Some(*at),
            State::UnderWay(UnderWay { until, .. }) => Some(*until),
            State::Over => None,
        }
    }

    pub(super) fn go_on(&mut self, world: &mut World) {
        self.steps += 1;
        assert!(self.steps < 1000, "seed {}: no end", world.seed);
        match std::mem::replace(&mut self.state, State::Over) {
            State::Asks(_) => self.ask(world),
            State::UnderWay(under_way) => self.settle(under_way, world),
            State::Over => {}
        }
    }

    fn ask(&mut self, world: &mut World) {
        if self.visits.is_empty() {
            self.enter(self.first, world);
        }
        self.state = State::Asks(world.now);
        let group = self.group();
        match world.at(group, |moment| self.journey.next(moment)) {
            Step::Dispatch { deployment, retry } => self.dispatch(deployment, retry, world),
            Step::Wait { until } => {
                world.check_wait(self, until);
                self.state = State::Asks(until);
            }
            Step::Fallback { group, .. } => {
                world.check_left(self);
                let at = world.groups.iter().position(|one| one.name == group);
                let at = at.expect("chains name groups of the world");
                assert!(!self.chosen.contains(&at), "seed {}: chosen twice", world.seed);
                self.chosen.push(at);
                world.tally.fallbacks += 1;
                if !world.dice.percent(10) {
                    self.enter(at, world);
                }
            }
            Step::End(cause) => self.end(cause, world),
        }
    }

    fn enter(&mut self, group: usize, world: &mut World) {
        self.journey.enter(world.leg(group));
        self.visits.push(Visit { group, ..Visit::default() });
    }

    fn group(&self) -> usize {
        self.visits.last().map_or(self.first, |visit| visit.group)
    }

    fn dispatch(&mut self, preferred: usize, retry: bool, world: &mut World) {
        let group = self.group();
        let doors = self.journey.doors().to_vec();
        assert_eq!(doors.first(), Some(&preferred), "seed {}", world.seed);
        let member = if world.dice.percent(80) { preferred } else { world.dice.one_of(&doors) };
        doors.iter().for_each(|door| world.check_door(self, *door, retry));
        let visit = self.visits.last_mut().expect("it entered a group");
        if world.dice.percent(3) {
            self.journey.pass_over(member, PassedOver::QueueFull);
            visit.passed_over.push(member);
            return;
        }
        if world.dice.percent(3) {
            let until = world.now.plus(world.dice.millis(2000));
            let class = FailureClass::Overloaded;
            self.journey.pass_over(member, PassedOver::Cooling { class, until });
            visit.passed_over.push(member);
            return;
        }
        let passes = world.take(group, member).expect("it was ready a moment ago");
        visit.tried.push(member);
        self.begin(member, passes, retry, world);
    }

    fn begin(&mut self, member: usize, passes: [Pass; 2], retry: bool, world: &mut World) {
        let (group, now, share) = (self.group(), world.now, world.share);
        let at = &mut world.groups[group].members[member];
        if retry {
            assert!(at.budget.retry(share, now), "seed {}: no retry was left", world.seed);
            at.retries += 1;
        } else {
            at.budget.called(share, now);
            at.calls += 1;
        }
        at.in_flight += 1;
        self.attempts += 1;
        world.tally.began(retry, passes.iter().any(|pass| pass.is_probe()));
        let Outcome { failure, after } = at.faults.outcome(self.own_fault, &mut world.dice, now);
        let (mut until, mut failure) = (now.plus(after), failure);
        if let Some(deadline) = self.deadline.filter(|deadline| *deadline < until) {
            until = deadline;
            failure = Some(AttemptFailure::new(FailureClass::TimedOut));
        }
        let attempt = self.journey.dispatched(member);
        self.state = State::UnderWay(UnderWay { until, attempt, passes, member, failure });
    }

    fn settle(&mut self, under_way: UnderWay, world: &mut World) {
        let UnderWay { attempt, passes, member, failure, .. } = under_way;
        let group = self.group();
        let ending = failure.map_or(Ending::Answered, |failure| Ending::Failed {
            class: failure.class,
            wait: failure.wait,
        });
        world.observe((group, member), passes, ending);
        let (now, cools) = (world.now, world.health_rules.cools);
        let at = &mut world.groups[group].members[member];
        at.in_flight -= 1;
        self.settled += 1;
        self.state = State::Asks(now);
        let Some(failure) = failure else { return self.journey.answered(attempt) };
        if let Some(wait) = failure.wait.filter(|_| cools) {
            at.told_until = at.told_until.max(now.plus(wait));
        }
        self.sealed |= failure.visible || failure.consumed;
        let visit = self.visits.last_mut().expect("it entered a group");
        visit.last = Some(failure.class);
        self.journey.failed(attempt, failure, now, world.dice.draw());
    }

    fn end(&mut self, cause: Cause, world: &mut World) {
        self.finals += 1;
        self.state = State::Over;
        world.check_end(self, cause);
        let group = self.group();
        let again = world.at(group, |moment| self.journey.next(moment));
        assert_eq!(again, Step::End(cause), "seed {}: the end is the end", world.seed);
    }

    /// Whether it ended once, and gave back everything that it took.
    pub(super) fn check_over(&self, seed: u64) {
        assert_eq!(self.finals, 1, "seed {seed}: one end for each call");
        assert_eq!(self.attempts, self.settled, "seed {seed}: a ticket was not settled");
        assert_eq!(self.attempts as usize, self.journey.attempts(), "seed {seed}");
    }
}
