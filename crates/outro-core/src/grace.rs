//! How long a platform waits between its stop signal and its kill, and what outro keeps of that
//! for itself.

use std::time::Duration;

/// What the user said of the grace (`--grace`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraceSetting {
    /// Nothing: the kill is left to the platform.
    Platform,
    /// This long.
    Fixed(Duration),
    /// As long as the platform gives, which is found from its environment.
    Auto,
}

/// A platform, as its environment shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// What it is called.
    pub name: &'static str,
    /// Its grace by default.
    pub grace: Duration,
}

/// One platform's mark: a variable that it sets in every container.
struct Mark {
    variable: &'static str,
    name: &'static str,
    grace_seconds: u64,
}

const fn mark(variable: &'static str, name: &'static str, grace_seconds: u64) -> Mark {
    Mark { variable, name, grace_seconds }
}

/// The variable by which Railway says how long it waits, in seconds. Without it, it does not.
const RAILWAY_DRAINING: &str = "RAILWAY_DEPLOYMENT_DRAINING_SECONDS";

/// In order: platforms that run on Kubernetes or ECS stand before them, as their containers show both marks.
const MARKS: [Mark; 14] = [
    mark("APTIBLE_PROCESS_TYPE", "Aptible", 10),
    mark("RAILWAY_ENVIRONMENT_ID", "Railway", 0),
    mark("RAILWAY_SERVICE_ID", "Railway", 0),
    mark("FLY_MACHINE_ID", "Fly.io", 5),
    mark("FLY_APP_NAME", "Fly.io", 5),
    mark("RENDER", "Render", 30),
    mark("DYNO", "Heroku", 30),
    mark("CONTAINER_APP_NAME", "Azure Container Apps", 30),
    mark("NOMAD_ALLOC_ID", "Nomad", 5),
    mark("KUBERNETES_SERVICE_HOST", "Kubernetes", 30),
    mark("K_SERVICE", "Cloud Run", 10),
    mark("CLOUD_RUN_JOB", "Cloud Run", 10),
    mark("ECS_CONTAINER_METADATA_URI_V4", "ECS", 30),
    mark("ECS_CONTAINER_METADATA_URI", "ECS", 30),
];

/// systemd's mark on what it starts; it counts only where outro is not the first process.
const SYSTEMD: Mark = mark("INVOCATION_ID", "systemd", 90);

/// What fits Docker, Compose, Swarm and most that are unknown.
const UNKNOWN: Platform = Platform { name: "Docker", grace: Duration::from_secs(10) };

/// The platform that set this environment. DigitalOcean's App Platform sets no mark of its own, so
/// it gets what an unknown one gets, which is shorter than its 120 s.
pub fn platform(variable: impl Fn(&str) -> Option<String>, is_first_process: bool) -> Platform {
    let systemd = (!is_first_process).then_some(&SYSTEMD);
    let Some(found) = MARKS.iter().chain(systemd).find(|mark| variable(mark.variable).is_some())
    else {
        return UNKNOWN;
    };
    let seconds = match found.name {
        "Railway" => variable(RAILWAY_DRAINING).and_then(|seconds| seconds.trim().parse().ok()),
        _ => None,
    };
    Platform {
        name: found.name,
        grace: Duration::from_secs(seconds.unwrap_or(found.grace_seconds)),
    }
}

/// What outro keeps of the grace to kill, to name whom, and to leave before the platform kills
/// outro: a twentieth, but at least 50 ms and at most a second.
#[must_use]
pub fn reserve(grace: Duration) -> Duration {
    (grace / 20).clamp(Duration::from_millis(50), Duration::from_secs(1)).min(grace / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], is_first_process: bool) -> (&'static str, u64) {
        let lookup = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let platform = platform(lookup, is_first_process);
        (platform.name, platform.grace.as_secs())
    }

    #[test]
    fn each_platform_is_known_by_its_environment() {
        assert_eq!(found(&[], true), ("Docker", 10));
        assert_eq!(found(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], true), ("Kubernetes", 30));
        assert_eq!(found(&[("FLY_MACHINE_ID", "1")], true), ("Fly.io", 5));
        assert_eq!(found(&[("RAILWAY_SERVICE_ID", "1")], true), ("Railway", 0));
        let draining = [("RAILWAY_SERVICE_ID", "1"), (RAILWAY_DRAINING, "45")];
        assert_eq!(found(&draining, true), ("Railway", 45));
        let knative = [("K_SERVICE", "s"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")];
        assert_eq!(found(&knative, true), ("Kubernetes", 30));
    }

    #[test]
    fn systemd_counts_only_where_outro_is_not_the_first_process() {
        assert_eq!(found(&[("INVOCATION_ID", "x")], true), ("Docker", 10));
        assert_eq!(found(&[("INVOCATION_ID", "x")], false), ("systemd", 90));
    }

    #[test]
    fn the_reserve_grows_with_the_grace_up_to_a_second() {
        for (grace_ms, reserve_ms) in
            [(0, 0), (60, 30), (1_000, 50), (10_000, 500), (30_000, 1_000), (300_000, 1_000)]
        {
            let reserve = reserve(Duration::from_millis(grace_ms));
            assert_eq!(reserve.as_millis() as u64, reserve_ms, "{grace_ms}");
        }
    }
}
