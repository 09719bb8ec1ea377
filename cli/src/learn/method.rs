//! How something new is learned, as it is said on the command line.

use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use toml::Value;

use super::said_twice::Flag;
use crate::arguments::one_of;
use crate::failure::Failure;
use respike::head::HeadSettings;
use respike::method::{
    Method, MethodError, MethodFile, MethodTraining, Strategy, View, add_to_name, said_as,
    set_by_key,
};
use respike::registry::Registry;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings, parse_bytes};
use respike::shipped::METHODS;

/// The LR index of latent replay where none is said.
const USUAL_LAYER: usize = 2;

/// How something new is learned.
#[derive(Args)]
pub(super) struct MethodFlags {
    /// What is trained on: naive (new samples only), joint (old ones too), native (a memory of raw
    /// inputs) or latent (a memory of compressed latents; by default).
    #[arg(long, value_parser = strategies(), conflicts_with = "method")]
    strategy: Option<Strategy>,
    #[arg(long, value_name = "NAME|FILE.toml", help = methods())]
    method: Option<String>,
    /// Anything else that a method's file says, as often as it is given: head=cwr-star, replay.codec=or:5,
    /// training.batch_size=128. What is changed stands in the method's name, unless name=… gives it another.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "method")]
    set: Vec<String>,
    /// How many hidden layers lie below what is replayed, the LR index of papers and reports: 0 keeps input
    /// currents, k the spikes of layer k. For latent replay 2 by default; naive and joint train the whole
    /// network without it.
    #[arg(long, value_name = "INDEX", visible_alias = "lr-index")]
    replay_layer: Option<usize>,
    /// The learning rate of the layers below the replay layer, as a factor of the others'; 0 freezes them [default: 0].
    #[arg(long, value_name = "FACTOR")]
    rate_below: Option<f32>,
    /// How layers above the replay layer see latents: as-is (replays alone pass the codec, as in Dequino et al. 2024), or
    /// codec:EPOCHS (new and tested ones, too, after so many epochs of adaptation; codec for 10). By default as-is with
    /// --strategy, codec with --method where the codec loses anything.
    #[arg(long)]
    view: Option<View>,
    #[arg(long, value_name = "NAME", help = one_of("What becomes of the readout", Registry::heads) + " [default: redrawn]")]
    head: Option<HeadSettings>,
    /// How latents are compressed in time: raw (by default), or:W or counts:W, with windows of W steps.
    #[arg(long)]
    codec: Option<CodecSettings>,
    /// The most that the memory may take, labels and header included: 160kB, 2MiB, 500000.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, conflicts_with = "replays")]
    budget: Option<u64>,
    /// The most samples that the memory may hold.
    #[arg(long, value_name = "N")]
    replays: Option<usize>,
    #[arg(long, help = one_of("Which samples the memory keeps", Registry::policies) + " [default: uniform]; the published protocol has a rule of its own")]
    pub policy: Option<PolicySettings>,
}

fn strategies() -> impl TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(Strategy::words()).try_map(|word| word.parse::<Strategy>())
}

fn methods() -> String {
    let names = METHODS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    format!(
        "A method of learning: one that ships ({}), or a file like those of snn-models/methods; other flags change what \
         it says",
        names.join(", ")
    )
}

/// What `KEY=VALUE` says: a TOML value where it is one, else a text; what begins like a table, a list, a quoted text or a
/// number and is none is refused.
fn key_and_value(said: &str) -> Result<(String, Value), Failure> {
    let (key, value) = said.split_once('=').ok_or_else(|| {
        Failure::bad(format!(
            "`{said}` says nothing: use KEY=VALUE, as in head=cwr-star"
        ))
    })?;
    let value = said_as(value)
        .map_err(|reason| Failure::bad(format!("`{said}` is not understood: {reason}")))?;
    Ok((key.to_string(), value))
}

/// What several of them say of training.
pub(super) fn training_of(said: &[String]) -> Result<MethodTraining, Failure> {
    let mut table = toml::Table::new();
    for text in said {
        let (key, value) = key_and_value(text)?;
        set_by_key(&mut table, &key, value).map_err(Failure::bad)?;
    }
    MethodTraining::of_table(table)
        .map_err(|reason| Failure::bad(format!("--pretrain-set is not understood: {reason}")))
}

/// Refuses an LR index for what keeps raw inputs.
fn no_lr_index(method: &str) -> Failure {
    Failure::bad(format!(
        "{method} keeps raw inputs and trains the whole network, so that it takes no LR index; latent replay keeps what \
         enters a layer: use --strategy latent, or --method latent"
    ))
}

/// A method, and what it says of how it is trained.
pub(super) struct Said {
    pub method: Method,
    pub epochs: Option<usize>,
    pub training: MethodTraining,
}

impl MethodFlags {
    /// What is set by key.
    pub fn sets(&self) -> &[String] {
        &self.set
    }

    /// Which flags are given, by the keys that they set.
    pub fn given(&self) -> Vec<Flag> {
        vec![
            ("--replay-layer", "lr_index", self.replay_layer.is_some()),
            ("--rate-below", "rate_below", self.rate_below.is_some()),
            ("--view", "view", self.view.is_some()),
            ("--head", "head", self.head.is_some()),
            ("--codec", "replay.codec", self.codec.is_some()),
            ("--policy", "replay.policy", self.policy.is_some()),
            ("--budget", "replay.capacity", self.budget.is_some()),
            ("--replays", "replay.capacity", self.replays.is_some()),
        ]
    }

    /// The method that is asked for.
    pub fn find(&self) -> Result<Said, Failure> {
        if let Some(samples) = self.replays.filter(|&most| i64::try_from(most).is_err()) {
            return Err(Failure::bad(format!(
                "--replays {samples}: no memory holds so many samples"
            )));
        }
        let capacity = match (self.budget, self.replays) {
            (Some(bytes), _) => Some(Capacity::Bytes(bytes)),
            (None, samples) => samples.map(Capacity::Samples),
        };
        if let Some(name) = &self.method {
            return self.changed(name, capacity);
        }
        let strategy = self.strategy.unwrap_or(Strategy::Latent);
        if !strategy.has_memory() {
            self.refuse_idle(&format!("the strategy {strategy}"))?;
        }
        let memory = || {
            let codec = self.codec.clone().unwrap_or_else(CodecSettings::raw);
            let policy = self.policy.clone().unwrap_or_else(PolicySettings::uniform);
            let capacity = capacity.ok_or_else(|| {
                Failure::bad(format!(
                    "the strategy {strategy} needs a memory: give a budget in bytes (--budget) or a number of samples \
                     (--replays)"
                ))
            })?;
            Ok::<_, Failure>(Memory::new(codec, policy, capacity))
        };
        // A memory of raw inputs is of nothing below or above a layer.
        if strategy.has_memory() && !strategy.keeps_latents() && self.replay_layer.is_some() {
            return Err(no_lr_index(strategy.word()));
        }
        let mut method = strategy.method(USUAL_LAYER, memory)?;
        method.said_view = self.view.or(method.said_view);
        method.lr_index = self.replay_layer.or(method.lr_index);
        // Another method has another name.
        if let Some(factor) = self
            .rate_below
            .filter(|factor| *factor != method.rate_below)
        {
            method.rate_below = factor;
            method.name += &format!(", rate_below {factor}");
        }
        if let Some(head) = self.head.clone().filter(|head| *head != method.head) {
            method.name += &format!(", head {head}");
            method.head = head;
        }
        Ok(Said {
            method,
            epochs: None,
            training: MethodTraining::default(),
        })
    }

    /// A method's file with what flags change.
    fn changed(&self, name: &str, capacity: Option<Capacity>) -> Result<Said, Failure> {
        let mut table = MethodFile::table(name, Path::new(""))?;
        let as_it_is = MethodFile::of_table(table.clone(), name);
        let as_it_is = as_it_is.ok().map(|file| file.method());
        let was_one = as_it_is.is_some();
        if let Some(method) = as_it_is {
            if method.codec().is_none() {
                self.refuse_idle(&format!("the method {name}"))?;
            }
            // What replays everything is as good a ceiling above a layer; a memory is of latents then.
            if self.replay_layer.is_some() && method.rehearses() && !method.is_ceiling() {
                return Err(no_lr_index(&method.name));
            }
        }
        let text = |value: String| Value::String(value);
        let capacity = capacity.map(|capacity| match capacity {
            Capacity::Samples(samples) => ("samples", samples as i64),
            Capacity::Bytes(bytes) => ("bytes", bytes as i64),
            _ => ("samples", 0),
        });
        let capacity = capacity.map(|(key, number)| {
            Value::Table(
                [(key.to_string(), Value::Integer(number))]
                    .into_iter()
                    .collect(),
            )
        });
        let flags = [
            (
                "lr_index",
                self.replay_layer.map(|index| Value::Integer(index as i64)),
            ),
            (
                "rate_below",
                // As short as it was said.
                self.rate_below
                    .and_then(|rate| rate.to_string().parse().ok().map(Value::Float)),
            ),
            ("view", self.view.map(|view| text(view.to_string()))),
            (
                "head",
                self.head.as_ref().map(|head| text(head.to_string())),
            ),
            (
                "replay.codec",
                self.codec.as_ref().map(|codec| text(codec.to_string())),
            ),
            (
                "replay.policy",
                self.policy.as_ref().map(|policy| text(policy.to_string())),
            ),
            ("replay.capacity", capacity),
        ];
        let mut said: Vec<(String, Value)> = Vec::new();
        for (key, value) in flags {
            said.extend(value.map(|value| (key.to_string(), value)));
        }
        for text in &self.set {
            said.push(key_and_value(text)?);
        }
        let is_named = said.iter().any(|(key, _)| key == "name");
        for (key, value) in said {
            let before = MethodFile::of_table(table.clone(), name).ok();
            set_by_key(&mut table, &key, value.clone()).map_err(Failure::bad)?;
            // Another method has another name, unless it is given one.
            let after = MethodFile::of_table(table.clone(), name).ok();
            if before != after && !is_named {
                add_to_name(&mut table, &key, &value);
            }
        }
        let file = MethodFile::of_table(table, name);
        let file = file.map_err(|error| match error {
            // The method is one without what was set of it.
            MethodError::Malformed { reason, .. } if was_one && !self.set.is_empty() => {
                Failure::bad(format!("--set is not understood: {reason}"))
            }
            other => other.into(),
        })?;
        Ok(Said {
            method: file.method(),
            epochs: file.epochs,
            training: file.training,
        })
    }

    fn refuse_idle(&self, what: &str) -> Result<(), Failure> {
        let idle: Vec<&str> = [
            ("--budget", self.budget.is_some()),
            ("--replays", self.replays.is_some()),
            ("--codec", self.codec.is_some()),
            ("--policy", self.policy.is_some()),
        ]
        .into_iter()
        .filter_map(|(flag, given)| given.then_some(flag))
        .collect();
        match idle.is_empty() {
            true => Ok(()),
            false => Err(Failure::bad(format!(
                "{what} has no memory, so that {} would change nothing; leave out what does not count",
                idle.join(" and ")
            ))),
        }
    }
}
