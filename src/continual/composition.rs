//! Refuses methods whose parts mean nothing together.
//!
//! In: a method, and how it is trained. Out: nothing, or which part would change nothing, why, and what to do.

use super::ContinualError;
use crate::method::{Method, View};
use crate::train::{Losses, Mixing, PastLogits};

/// Refuses what would change nothing.
pub(super) fn check(method: &Method, losses: &Losses) -> Result<(), ContinualError> {
    let idle = |what: String, why: String, instead: &'static str| {
        Err(ContinualError::Idle { what, why, instead })
    };
    let head = &method.head;
    let objective = &losses.objective;
    if head.learns_alone() {
        let trained = "leave it out, or choose a head that is trained";
        let why = |done| format!("the head {} learns alone, with nothing {done}", head.kind());
        if let Some(source) = method.replay.first() {
            let what = format!("the replay source `{}`", source.kind());
            return idle(what, why("replayed"), trained);
        }
        if *losses != Losses::default() {
            let plain = Losses::default().objective;
            let what = match losses.regularisers.first() {
                Some(one) if *objective == plain => format!("the regulariser `{}`", one.kind()),
                _ => format!("the objective `{}`", objective.kind()),
            };
            return idle(what, why("trained"), trained);
        }
        if method.mixing != Mixing::default() {
            return idle("mixing".to_string(), why("replayed"), trained);
        }
    }
    if method.view() != View::AsIs && !method.may_see_through_codec() {
        return idle(
            format!("view = \"{}\"", method.view()),
            "no codec that loses anything stands between frozen layers and trained ones"
                .to_string(),
            "leave it out, or say \"as-is\"",
        );
    }
    if method.rate_below > 0.0 && method.lr_index.is_none() {
        return idle(
            format!("rate_below = {}", method.rate_below),
            "without an LR index no layer lies below one".to_string(),
            "give lr_index (--replay-layer), or leave it out",
        );
    }
    if method.replay.is_empty()
        && method
            .mixing
            .replayed_per_batch
            .is_some_and(|some| some > 0)
    {
        return idle(
            "mixing.replayed_per_batch".to_string(),
            "there is no replay source".to_string(),
            "give one, or leave it out, and new_per_batch with it",
        );
    }
    let mut sources = method.replay.iter();
    if objective.past_logits() == PastLogits::OfReplays
        && !sources.any(|source| source.keeps_logits())
    {
        let why = match method.replay.first() {
            None => "there is no replay source".to_string(),
            Some(source) => format!("the replay source `{}` keeps none", source.kind()),
        };
        return idle(
            format!("the logits that `{}` wants of replays", objective.kind()),
            why,
            "replay from a memory, or choose another objective",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::Form;
    use crate::head::{CwrStar, Ridge, Slda};
    use crate::replay::{Capacity, CodecSettings, Generator, Memory, PolicySettings};
    use crate::train::{DerPlusPlus, ErAce, WeightDecay};

    fn memory() -> Memory {
        let capacity = Capacity::Samples(10);
        Memory::new(CodecSettings::raw(), PolicySettings::uniform(), capacity)
    }

    #[test]
    fn what_would_change_nothing_is_refused_with_what_to_do() {
        let plain = Losses::default;
        let slda = || {
            Method::new("slda")
                .with_replay_layer(1)
                .with_head(Slda::default())
        };
        let generator = Generator::new(Form::Separate, 4);
        let der = || Losses::new(DerPlusPlus::default());
        let mixing = Mixing::default().with_per_batch(4, 8);
        for (method, losses, words) in [
            (slda().with_replay(memory()), plain(), ["slda", "`memory`"]),
            (
                slda().with_replay(generator.clone()),
                plain(),
                ["slda", "`generator`"],
            ),
            (slda(), Losses::new(ErAce {}), ["slda", "`er-ace`"]),
            (
                slda().with_head(Ridge::default()),
                plain().and(WeightDecay { strength: 0.1 }),
                ["ridge", "`weight-decay`"],
            ),
            (slda().with_mixing(mixing), plain(), ["slda", "mixing"]),
            (
                Method::naive().with_rate_below(0.1),
                plain(),
                ["rate_below", "--replay-layer"],
            ),
            (
                Method::naive().with_mixing(mixing),
                plain(),
                ["replayed_per_batch", "no replay source"],
            ),
            (Method::joint(), der(), ["der-plus-plus", "`everything`"]),
            (
                Method::naive().with_replay_layer(1).with_replay(generator),
                der(),
                ["der-plus-plus", "`generator`"],
            ),
            (
                Method::naive(),
                der(),
                ["der-plus-plus", "no replay source"],
            ),
        ] {
            let refused = check(&method, &losses)
                .expect_err("it means nothing")
                .to_string();
            for word in words.iter().chain(&["would change nothing", "; "]) {
                assert!(refused.contains(word), "{refused}");
            }
        }
        for (method, losses) in [
            (slda(), plain()),
            (Method::latent(1, memory()).with_mixing(mixing), der()),
            (Method::native(memory()), der()),
            // Layers below may be slowed without a replay.
            (slda().with_head(CwrStar {}).with_rate_below(0.1), plain()),
            (Method::joint().with_mixing(mixing), Losses::new(ErAce {})),
        ] {
            check(&method, &losses).expect("it means something");
        }
    }
}
