//! The plan of a campaign: the first line of a shard's report.

use std::fmt::Write;
use std::num::NonZeroU64;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Shard;
use crate::cli::campaign::{Campaign, Until};
use crate::cli::report_lines::RunLine;
use crate::cli::select;
use crate::lab::{Design, Rules};

/// The first line of a shard's report, and of a merged one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::cli) struct PlanLine {
    pub plan: Plan,
}

/// Everything that determines the runs of a campaign, apart from the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Plan {
    /// The version of raftlab.
    pub raftlab: String,
    pub design: String,
    pub strict: bool,
    pub clock: String,
    pub schedule: String,
    /// The first seed.
    pub seed: u64,
    /// Runs of each test.
    pub runs: NonZeroU64,
    /// The tests, in the order that numbers the runs.
    pub tests: Vec<String>,
    /// The shard whose runs the file has; `None` in a merged report.
    pub job_index: Option<u64>,
    /// The number of shards.
    pub job_count: NonZeroU64,
    /// Hash of all this but `job_index`: 16 hexadecimal digits.
    pub hash: String,
}

impl Plan {
    /// The plan of the campaign of which `campaign` is a shard; `None` if it is not one.
    pub(in crate::cli) fn of(campaign: &Campaign) -> Option<Plan> {
        let (Some(shard), Until::Runs(runs)) = (campaign.shard, campaign.until) else {
            return None;
        };
        let plan = Plan {
            raftlab: env!("CARGO_PKG_VERSION").to_string(),
            design: campaign.design.name.to_string(),
            strict: campaign.design.rules == Rules::AllOnDemand,
            clock: campaign.config.clock.to_string(),
            schedule: campaign.config.schedule.to_string(),
            seed: campaign.config.seed,
            runs,
            tests: campaign.tests.iter().map(|test| test.name.to_string()).collect(),
            job_index: Some(shard.index),
            job_count: shard.count,
            hash: String::new(),
        };
        Some(Plan { hash: plan.own_hash(), ..plan })
    }

    /// The plan as the first line of a merged report.
    pub(in crate::cli) fn merged(&self) -> PlanLine {
        PlanLine { plan: Plan { job_index: None, ..self.clone() } }
    }

    /// Reads the first line of a report.
    ///
    /// # Errors
    /// Why the line is no plan.
    pub(in crate::cli) fn read(line: &[u8]) -> Result<Plan, String> {
        let no_plan = |error: serde_json::Error| {
            format!("this is no plan ({error}); merge reads what `test --job-index` wrote")
        };
        let PlanLine { plan } = serde_json::from_slice(line).map_err(no_plan)?;
        if plan.hash != plan.own_hash() {
            return Err("the plan does not match its hash: the line was changed".to_string());
        }
        let index_is_low = plan.job_index.is_none_or(|index| index < plan.job_count.get());
        let seeds_exist = plan.seed.checked_add(plan.runs.get() - 1).is_some();
        match index_is_low && seeds_exist && !plan.tests.is_empty() {
            true => Ok(plan),
            false => Err("the numbers of the plan do not fit together".to_string()),
        }
    }

    /// The first field in which the plans of two files differ: what one has, what the other has.
    /// `None` if the files belong together.
    pub(in crate::cli) fn difference(&self, other: &Plan) -> Option<[String; 2]> {
        let fields = |plan: &Plan| {
            [
                format!("raftlab {}", plan.raftlab),
                format!("design {}", plan.design),
                format!("{} --strict", if plan.strict { "runs with" } else { "runs without" }),
                format!("clock {}", plan.clock),
                format!("schedule {}", plan.schedule),
                format!("first seed {}", plan.seed),
                format!("{} runs of each test", plan.runs),
                format!("{} shards", plan.job_count),
            ]
        };
        let different = fields(self).into_iter().zip(fields(other)).find(|(one, two)| one != two);
        if let Some((one, two)) = different {
            return Some([one, two]);
        }
        let only = |one: &Plan, two: &Plan| {
            one.tests.iter().find(|test| !two.tests.contains(test)).cloned()
        };
        match (only(self, other), only(other, self)) {
            (Some(test), _) => Some([format!("test {test}"), "no such test".to_string()]),
            (None, Some(test)) => Some([format!("no test {test}"), "such a test".to_string()]),
            (None, None) if self.tests == other.tests => None,
            (None, None) => Some(["tests in one order".into(), "them in another".into()]),
        }
    }

    /// The number of `run` in the plan.
    ///
    /// # Errors
    /// Why the run is not in the plan.
    pub(in crate::cli) fn number(&self, place: Option<u64>, run: &RunLine) -> Result<u128, String> {
        for (what, has, wants) in [
            ("design", &run.design, &self.design),
            ("clock", &run.clock, &self.clock),
            ("schedule", &run.schedule, &self.schedule),
        ] {
            if has != wants {
                return Err(format!("the run has {what} {has}, its plan {wants}"));
            }
        }
        let place = place.ok_or_else(|| format!("{} is not in the plan", run.test))?;
        let round = run.seed.checked_sub(self.seed).filter(|round| *round < self.runs.get());
        let round = round.ok_or_else(|| format!("seed {} is not in the plan", run.seed))?;
        Ok(u128::from(place) * u128::from(self.runs.get()) + u128::from(round))
    }

    /// The number of runs of shard `index`.
    pub(in crate::cli) fn size(&self, index: u64) -> u64 {
        let shard = Shard { index, count: self.job_count };
        shard.runs_before(self.tests.len() as u64, self.runs)
    }

    /// The number of shards that have any run: the first ones.
    pub(in crate::cli) fn shards(&self) -> u64 {
        let whole = Shard { index: 0, count: NonZeroU64::MIN };
        self.job_count.get().min(whole.runs_before(self.tests.len() as u64, self.runs))
    }

    /// The command line that does shard `index` and writes it to `file`. `design` is the plan's
    /// design, if this program has it.
    pub(in crate::cli) fn command(
        &self,
        design: Option<&Design>,
        index: u64,
        file: &Path,
    ) -> String {
        let mut line = "raftlab test".to_string();
        for name in select::words_for(&self.tests, design) {
            let _ = write!(line, " {name}");
        }
        let _ = write!(line, " --runs {} --seed {} --design {}", self.runs, self.seed, self.design);
        if self.schedule != "random" {
            let _ = write!(line, " --schedule {}", self.schedule);
        }
        if self.strict {
            line.push_str(" --strict");
        }
        let _ = write!(line, " --job-index {index} --job-count {}", self.job_count);
        let _ = write!(line, " --report {}", file.display());
        line
    }

    /// The hash of everything but the shard: FNV-1a of the plan as JSON.
    fn own_hash(&self) -> String {
        let plain = Plan { job_index: None, hash: String::new(), ..self.clone() };
        let json = serde_json::to_vec(&plain).expect("a plan has string keys only");
        let hash = json.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}
