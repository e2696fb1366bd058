//! deploy/kubernetes held against docker-compose.yml and against what the program reads.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a check that cannot read the repository has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use tolov_domain::ports::bus::Queue;
use yaml_rust2::{Yaml, YamlLoader};

/// Services that run in both, and the audit, which is a CronJob here.
const SERVICES: [&str; 6] = ["webhook", "projector", "bot", "reconciler", "backup", "audit"];
/// The sandbox is no part of a cluster.
const NOT_IN_A_CLUSTER: [&str; 1] = ["SANDBOX_URL"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn documents(path: &Path) -> Vec<Yaml> {
    let text = std::fs::read_to_string(path).unwrap();
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn base() -> Vec<Yaml> {
    let folder = root().join("deploy/kubernetes/base");
    let kustomization = documents(&folder.join("kustomization.yaml")).remove(0);
    let listed: BTreeSet<String> = list(&kustomization["resources"]).map(text).collect();
    let found = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<String> = found.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(found.len(), listed.len() + 1, "{found:?} in the folder, {listed:?} in kustomization.yaml");
    listed.iter().flat_map(|file| documents(&folder.join(file))).collect()
}

/// The documents of overlays and components, each with its file.
fn variations() -> Vec<(PathBuf, Yaml)> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let kubernetes = root().join("deploy/kubernetes");
    let folders = ["overlays", "components"].into_iter().flat_map(|kind| entries(&kubernetes.join(kind)));
    let files = folders.flat_map(|folder| entries(&folder));
    let documents_of = |file: PathBuf| {
        let found = documents(&file);
        found.into_iter().map(move |document| (file.clone(), document))
    };
    files.flat_map(documents_of).collect()
}

fn list(yaml: &Yaml) -> impl Iterator<Item = &Yaml> {
    yaml.as_vec().into_iter().flatten()
}

fn text(yaml: &Yaml) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("{yaml:?} is no text")).to_owned()
}

fn keys(yaml: &Yaml) -> BTreeSet<String> {
    yaml.as_hash().into_iter().flatten().map(|(key, _)| text(key)).collect()
}

/// The pods of the base, by the name of what makes them.
fn pods(base: &[Yaml]) -> BTreeMap<String, &Yaml> {
    let made = base.iter().filter_map(|document| {
        let spec = &document["spec"];
        let pod = match document["kind"].as_str()? {
            "Deployment" | "StatefulSet" => &spec["template"]["spec"],
            "CronJob" => &spec["jobTemplate"]["spec"]["template"]["spec"],
            _ => return None,
        };
        Some((text(&document["metadata"]["name"]), pod))
    });
    made.collect()
}

/// The containers of our program, with the pod of each.
fn containers<'a>(pods: &BTreeMap<String, &'a Yaml>) -> BTreeMap<String, (&'a Yaml, &'a Yaml)> {
    let all = pods.values().flat_map(|pod| list(&pod["containers"]).map(move |container| (*pod, container)));
    all.filter(|(_, container)| container["image"].as_str() == Some("tolov"))
        .map(|(pod, container)| (text(&container["name"]), (pod, container)))
        .collect()
}

type Labels = BTreeMap<String, String>;

/// The labels of each pod of the base, by the name of what makes it.
fn labels(base: &[Yaml]) -> BTreeMap<String, Labels> {
    let made = base.iter().filter_map(|document| {
        let template = match document["kind"].as_str()? {
            "Deployment" | "StatefulSet" => &document["spec"]["template"],
            "CronJob" => &document["spec"]["jobTemplate"]["spec"]["template"],
            _ => return None,
        };
        let labels = template["metadata"]["labels"].as_hash()?;
        Some((
            text(&document["metadata"]["name"]),
            labels.iter().map(|(key, it)| (text(key), text(it))).collect(),
        ))
    });
    made.collect()
}

fn selects(selector: &Yaml, labels: &Labels) -> bool {
    let matches = selector["matchLabels"].as_hash().into_iter().flatten();
    let is_one_of = |rule: &Yaml| {
        assert_eq!(rule["operator"].as_str(), Some("In"));
        let value = labels.get(&text(&rule["key"]));
        list(&rule["values"]).any(|one| Some(&text(one)) == value)
    };
    matches.clone().all(|(key, value)| labels.get(&text(key)) == Some(&text(value)))
        && list(&selector["matchExpressions"]).all(is_one_of)
}

fn of_kind<'a>(documents: &'a [Yaml], kind: &'a str) -> impl Iterator<Item = &'a Yaml> {
    documents.iter().filter(move |document| document["kind"].as_str() == Some(kind))
}

fn own_variables(container: &Yaml) -> BTreeMap<String, String> {
    list(&container["env"]).map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect()
}

/// The variables of a service in compose, those of its merged mappings too.
fn compose_variables(environment: &Yaml) -> BTreeSet<String> {
    let own = keys(environment).into_iter().filter(|name| name != "<<");
    own.chain(keys(&environment["<<"])).collect()
}

/// What .env.example explains, which checks/tests/tidy.rs compares with the code.
fn explained() -> BTreeSet<String> {
    let example = std::fs::read_to_string(root().join(".env.example")).unwrap();
    let lines = example.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

fn settings_map(base: &[Yaml]) -> &Yaml {
    &base.iter().find(|document| document["kind"].as_str() == Some("ConfigMap")).unwrap()["data"]
}

fn settings(base: &[Yaml]) -> BTreeSet<String> {
    keys(settings_map(base))
}

#[test]
fn each_container_is_given_the_variables_that_compose_gives_it_and_no_unknown_ones() {
    let base = base();
    let shared = settings(&base);
    let compose = documents(&root().join("docker-compose.yml")).remove(0);
    let pods = pods(&base);
    let containers = containers(&pods);
    assert_eq!(containers.keys().map(String::as_str).collect::<BTreeSet<_>>(), SERVICES.into());
    for (name, (_, container)) in containers {
        assert!(
            list(&container["envFrom"]).any(|from| !from["configMapRef"]["name"].is_badvalue()),
            "{name}"
        );
        let own = own_variables(container).into_keys().map(|name| name.replace("_FILE", ""));
        let given: BTreeSet<String> = own.chain(shared.clone()).collect();
        let wanted = compose_variables(&compose["services"][name.as_str()]["environment"]);
        let missing: Vec<&String> = wanted
            .difference(&given)
            .filter(|variable| !NOT_IN_A_CLUSTER.contains(&variable.as_str()))
            .collect();
        assert!(missing.is_empty(), "{name} has no {missing:?}");
        let unknown: Vec<String> = given.difference(&explained()).cloned().collect();
        assert!(unknown.is_empty(), "{name}: the program reads no {unknown:?}");
    }
}

#[test]
fn secrets_are_files_and_each_container_has_its_own_alone() {
    let base = base();
    let is_secret = |name: &str| {
        ["TOKEN", "SECRET", "PASSWORD"].iter().any(|word| name.contains(word))
            || ["AMQP_URL", "MONGO_URL", "LEDGER_URL"].contains(&name)
    };
    assert!(!settings(&base).iter().any(|name| is_secret(name)));
    let compose = documents(&root().join("docker-compose.yml")).remove(0);
    let pods = pods(&base);
    for (name, (pod, container)) in containers(&pods) {
        let own = own_variables(container);
        let files: BTreeSet<&str> =
            own.keys().filter_map(|variable| variable.strip_suffix("_FILE")).collect();
        assert!(!own.keys().any(|variable| is_secret(variable) && !variable.ends_with("_FILE")), "{name}");
        let wanted = compose_variables(&compose["services"][name.as_str()]["environment"]);
        let wanted: BTreeSet<&str> =
            wanted.iter().map(String::as_str).filter(|name| is_secret(name)).collect();
        assert_eq!(files, wanted, "{name}");
        let mounted: Vec<String> = list(&container["volumeMounts"])
            .filter(|mount| mount["name"].as_str() == Some("secrets"))
            .map(|mount| text(&mount["mountPath"]))
            .collect();
        assert_eq!(mounted.is_empty(), files.is_empty(), "{name}");
        for (variable, value) in own.iter().filter(|(variable, _)| variable.ends_with("_FILE")) {
            assert_eq!(*value, format!("{}/{}", mounted[0], variable.replace("_FILE", "")), "{name}");
        }
        let secrets: Vec<String> = list(&pod["volumes"])
            .filter(|volume| volume["name"].as_str() == Some("secrets") && !files.is_empty())
            .map(|volume| text(&volume["secret"]["secretName"]))
            .collect();
        assert!(secrets.is_empty() || secrets == [format!("tolov-{name}")], "{name}: {secrets:?}");
    }
}

/// A patch of what is not there changes nothing, or is a second one.
#[test]
fn an_overlay_changes_what_the_base_has_and_gives_no_unknown_variables() {
    let base = base();
    let base_pods = pods(&base);
    let known = explained();
    let mut changed = BTreeSet::new();
    for (file, document) in variations() {
        let file = file.display();
        if document["kind"].as_str() == Some("ConfigMap") {
            let unknown: Vec<String> = keys(&document["data"]).difference(&known).cloned().collect();
            assert!(unknown.is_empty(), "{file}: the program reads no {unknown:?}");
        }
        for (name, pod) in pods(std::slice::from_ref(&document)) {
            let in_base = base_pods.get(&name).unwrap_or_else(|| panic!("{file}: there is no {name}"));
            for container in list(&pod["containers"]) {
                let is_it = |known: &&Yaml| known["name"] == container["name"];
                let found = list(&in_base["containers"]).find(is_it);
                let found = found.unwrap_or_else(|| panic!("{file}: {name} has no {:?}", container["name"]));
                let given = own_variables(container).into_keys().map(|name| name.replace("_FILE", ""));
                let unknown: Vec<String> = given.filter(|variable| !known.contains(variable)).collect();
                let is_ours = found["image"].as_str() == Some("tolov");
                assert!(!is_ours || unknown.is_empty(), "{file}: the program reads no {unknown:?}");
            }
            changed.insert(name);
        }
    }
    assert!(changed.contains("webhook") && changed.contains("bot"), "{changed:?}");
}

/// On files two pods would be two ledgers.
#[test]
fn several_webhook_pods_have_a_ledger_in_postgresql_or_do_not_start() {
    let mut several = 0;
    for (file, document) in variations() {
        let is_webhook = document["metadata"]["name"].as_str() == Some("webhook");
        let replicas = document["spec"]["replicas"].as_i64();
        if !is_webhook || replicas.is_none_or(|replicas| replicas < 2) {
            continue;
        }
        several += 1;
        let pod = &document["spec"]["template"]["spec"];
        let command = &pod["containers"][0]["command"];
        let script = text(&command[2]);
        assert!(script.contains("\"$LEDGER_URL_FILE\" || {") && script.contains("exec tolov"), "{script}");
        assert_that_it_goes_on_until_it_is_forgotten(pod, 20);
        let spread = &pod["topologySpreadConstraints"][0]["topologyKey"];
        assert_eq!(spread.as_str(), Some("kubernetes.io/hostname"), "{}", file.display());
    }
    assert_eq!(several, 1);
}

/// The Ingress is before both. Caddy takes networks with spaces between them alone, the services with commas too.
#[test]
fn caddy_believes_the_proxies_that_the_services_believe() {
    let base = base();
    let pods = pods(&base);
    let caddy = &pods["caddy"]["containers"][0];
    let is_it = |variable: &&Yaml| variable["name"].as_str() == Some("CADDY_TRUSTED_PROXIES");
    let from = &list(&caddy["env"]).find(is_it).unwrap()["valueFrom"]["configMapKeyRef"];
    let named = (from["name"].as_str(), from["key"].as_str());
    assert_eq!(named, (Some("tolov-settings"), Some("TRUSTED_PROXIES")));
    let networks = text(&settings_map(&base)["TRUSTED_PROXIES"]);
    assert!(!networks.is_empty() && !networks.contains(','), "{networks}");
}

#[test]
fn what_can_run_once_only_runs_once_and_is_stopped_before_it_is_replaced() {
    let base = base();
    let find = |name: &str| {
        let is_it = |document: &&Yaml| {
            document["metadata"]["name"].as_str() == Some(name)
                && ["Deployment", "StatefulSet"].contains(&document["kind"].as_str().unwrap())
        };
        base.iter().find(is_it).unwrap()
    };
    let webhook = find("webhook");
    assert_eq!(webhook["kind"].as_str(), Some("StatefulSet"), "it ends a pod before it starts the next");
    for name in ["webhook", "reconciler"] {
        assert_eq!(find(name)["spec"]["replicas"].as_i64(), Some(1), "{name}");
    }
    let reconciler = find("reconciler");
    assert_eq!(reconciler["spec"]["strategy"]["type"].as_str(), Some("Recreate"));
    for name in ["projector", "caddy", "bot"] {
        let update = &find(name)["spec"]["strategy"]["rollingUpdate"];
        assert_eq!(update["maxUnavailable"].as_i64(), Some(0), "{name}");
    }
}

/// Those that stand by or have a twin, in whatever overlay.
#[test]
fn of_what_may_have_several_pods_one_at_a_time_may_be_evicted() {
    let base = base();
    let variations = variations();
    let several = variations.iter().filter_map(|(_, document)| {
        let spec = &document["spec"];
        let is_scaled = spec["replicas"].as_i64().is_some_and(|replicas| replicas > 1);
        match document["kind"].as_str()? {
            "Deployment" | "StatefulSet" if is_scaled => Some(text(&document["metadata"]["name"])),
            "HorizontalPodAutoscaler" => Some(text(&spec["scaleTargetRef"]["name"])),
            _ => None,
        }
    });
    let several: BTreeSet<String> = several.collect();
    assert_eq!(
        several.iter().map(String::as_str).collect::<Vec<_>>(),
        ["bot", "caddy", "projector", "webhook"]
    );
    let labels = labels(&base);
    for name in several {
        let budgets = of_kind(&base, "PodDisruptionBudget");
        let own: Vec<&Yaml> = budgets.filter(|it| selects(&it["spec"]["selector"], &labels[&name])).collect();
        let [own] = own[..] else { panic!("{name} has {} budgets", own.len()) };
        // With minAvailable a node could never be drained where there is one pod.
        assert_eq!(keys(&own["spec"]), ["maxUnavailable", "selector"].map(str::to_owned).into(), "{name}");
        assert_eq!(own["spec"]["maxUnavailable"].as_i64(), Some(1), "{name}");
    }
}

/// Whom a pod may reach and who may reach it, as `pod:port`. A rule without a peer is `*`.
fn rules(base: &[Yaml], pod: &Labels, direction: &str) -> BTreeSet<String> {
    let (rules, peers) = if direction == "Egress" { ("egress", "to") } else { ("ingress", "from") };
    let all = labels(base);
    let mut found = BTreeSet::new();
    for policy in of_kind(base, "NetworkPolicy") {
        let spec = &policy["spec"];
        let is_named = list(&spec["policyTypes"]).any(|it| it.as_str() == Some(direction));
        assert!(is_named || spec[rules].is_badvalue(), "rules that count for nothing: {policy:?}");
        if !is_named || !selects(&spec["podSelector"], pod) {
            continue;
        }
        for rule in list(&spec[rules]) {
            let mut named: BTreeSet<String> = BTreeSet::new();
            for peer in list(&rule[peers]) {
                named.extend(
                    keys(&peer["namespaceSelector"]["matchLabels"]).first().map(|_| "monitoring".to_owned()),
                );
                let is_it =
                    |labels: &Labels| peer["podSelector"].is_hash() && selects(&peer["podSelector"], labels);
                named.extend(all.iter().filter(|(_, labels)| is_it(labels)).map(|(name, _)| name.clone()));
            }
            if rule[peers].is_badvalue() {
                named.insert("*".to_owned());
            }
            assert!(!rule["ports"].is_badvalue(), "every port is open: {policy:?}");
            let ports = list(&rule["ports"]).map(|port| port["port"].as_i64().unwrap());
            found.extend(ports.flat_map(|port| named.iter().map(move |peer| format!("{peer}:{port}"))));
        }
    }
    found
}

/// What each speaks besides DNS: 5672 and 5671 RabbitMQ, 27017 MongoDB, 5432 PostgreSQL, 443 Telegram and CLICK, 4318 traces.
const REACHES: [(&str, &[&str]); 6] = [
    ("webhook", &["*:5671", "*:5672", "*:5432", "*:4318"]),
    ("projector", &["*:5671", "*:5672", "*:27017", "*:4318"]),
    ("bot", &["*:5671", "*:5672", "*:27017", "*:443", "webhook:8000", "*:4318"]),
    ("reconciler", &["*:443", "webhook:8000", "*:4318"]),
    ("audit", &["*:5671", "*:5672", "*:27017", "*:5432", "*:4318"]),
    ("caddy", &["webhook:8000", "bot:8010"]),
];

#[test]
fn every_pod_is_closed_but_for_what_it_speaks() {
    let base = base();
    let closed = of_kind(&base, "NetworkPolicy").any(|policy| {
        let spec = &policy["spec"];
        let both: BTreeSet<String> = list(&spec["policyTypes"]).map(text).collect();
        keys(spec) == ["podSelector", "policyTypes"].map(str::to_owned).into()
            && keys(&spec["podSelector"]).is_empty()
            && both == ["Egress", "Ingress"].map(str::to_owned).into()
    });
    assert!(closed, "nothing is closed");
    let labels = labels(&base);
    let pods = pods(&base);
    assert_eq!(
        labels.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        REACHES.map(|(name, _)| name).into()
    );
    for (name, reaches) in REACHES {
        let reached: BTreeSet<String> = rules(&base, &labels[name], "Egress");
        let wanted: BTreeSet<String> = reaches.iter().chain(&["*:53"]).map(|it| (*it).to_owned()).collect();
        assert_eq!(reached, wanted, "{name}");
        for (peer, port) in
            reached.iter().filter_map(|it| it.split_once(':')).filter(|(peer, _)| *peer != "*")
        {
            let lets_in = rules(&base, &labels[peer], "Ingress");
            assert!(lets_in.contains(&format!("{name}:{port}")), "{peer} lets {name} not in: {lets_in:?}");
        }
        let open = list(&pods[name]["containers"]).flat_map(|container| list(&container["ports"]));
        let open: BTreeSet<i64> = open.map(|port| port["containerPort"].as_i64().unwrap()).collect();
        let lets_in = rules(&base, &labels[name], "Ingress");
        for port in &open {
            assert!(
                lets_in.iter().any(|it| it.ends_with(&format!(":{port}"))),
                "{name}: nobody reaches {port}"
            );
        }
        let mut of_others = lets_in.iter().filter(|it| !it.starts_with("monitoring:"));
        let is_open = |it: &String| open.contains(&it.rsplit_once(':').unwrap().1.parse().unwrap());
        assert!(of_others.all(is_open), "{name} has {open:?} and lets in {lets_in:?}");
    }
}

/// One that nobody exports would keep the number of pods as it is, whatever the queue.
#[test]
fn what_is_scaled_is_there_and_by_a_metric_that_it_exports() {
    let base = base();
    let variations = variations();
    let scalers: Vec<&Yaml> = variations
        .iter()
        .map(|(_, document)| document)
        .filter(|document| document["kind"].as_str() == Some("HorizontalPodAutoscaler"))
        .collect();
    let [scaler] = scalers[..] else { panic!("{} autoscalers", scalers.len()) };
    let spec = &scaler["spec"];
    let target = &spec["scaleTargetRef"];
    let is_target = |it: &Yaml| {
        ["apiVersion", "kind"].iter().all(|key| it[*key] == target[*key])
            && it["metadata"]["name"] == target["name"]
    };
    assert!(base.iter().any(is_target), "{target:?}");
    let (least, most) = (spec["minReplicas"].as_i64().unwrap(), spec["maxReplicas"].as_i64().unwrap());
    assert!(1 < least && least < most, "{least} to {most}");
    let metrics = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let [metric] = &spec["metrics"].as_vec().unwrap()[..] else { panic!("{spec:?}") };
    let metric = &metric["external"]["metric"];
    let row = format!("| `{}` | gauge |", text(&metric["name"]));
    let row = metrics.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("no {row}"));
    let wanted = &metric["selector"]["matchLabels"];
    assert!(keys(wanted).iter().all(|label| row.contains(&format!("`{label}`"))), "{row}");
    assert!(row.contains(&text(&target["name"])), "{row}");
    let queue = Queue::ProjectorPayments.name();
    assert_eq!(wanted["queue"].as_str(), Some(queue));
}

/// A volume is mounted on one node alone. An audit that waits for ever would keep every later one from starting.
#[test]
fn the_audit_runs_beside_the_pod_whose_volume_it_mounts_and_is_ended_before_the_next() {
    let base = base();
    let cron = base.iter().find(|document| document["kind"].as_str() == Some("CronJob")).unwrap();
    let job = &cron["spec"]["jobTemplate"]["spec"];
    let deadline_s = job["activeDeadlineSeconds"].as_i64().unwrap();
    assert!((3600..24 * 3600).contains(&deadline_s), "{deadline_s} s");
    let pod = &job["template"]["spec"];
    let claims: Vec<&str> = list(&pod["volumes"])
        .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
        .collect();
    let beside = &pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
    let labels = &beside["labelSelector"]["matchLabels"];
    let owner = text(&labels["statefulset.kubernetes.io/pod-name"]);
    assert_eq!(claims, [format!("ledger-{owner}")]);
}

/// For some seconds connections are led to a pod that was told to end. Afterwards it still has `work_s` for what it holds.
fn assert_that_it_goes_on_until_it_is_forgotten(pod: &Yaml, work_s: i64) {
    let stop = &pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"];
    assert_eq!(stop[0].as_str(), Some("sleep"), "{pod:?}");
    let pause_s: i64 = text(&stop[1]).parse().unwrap();
    let grace_s = pod["terminationGracePeriodSeconds"].as_i64().unwrap();
    assert!(pause_s >= 5 && grace_s > pause_s + work_s, "{pause_s} s and {work_s} s of {grace_s} s");
}

#[test]
fn a_pod_that_has_a_twin_goes_on_until_it_is_forgotten() {
    let base = base();
    let pods = pods(&base);
    assert_that_it_goes_on_until_it_is_forgotten(pods["bot"], 20);
    // A call is held for 25 s and answered after 30.
    assert_that_it_goes_on_until_it_is_forgotten(pods["caddy"], 55);
}

#[test]
fn every_pod_is_hardened_and_every_service_is_probed() {
    let base = base();
    for (name, pod) in pods(&base) {
        assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true), "{name}");
        assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false), "{name}");
        for container in list(&pod["containers"]) {
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"].as_bool(), Some(true), "{name}");
            assert_eq!(context["allowPrivilegeEscalation"].as_bool(), Some(false), "{name}");
            assert_eq!(context["capabilities"]["drop"][0].as_str(), Some("ALL"), "{name}");
            assert!(!container["resources"]["limits"]["memory"].is_badvalue(), "{name}");
        }
        if ["webhook", "projector", "bot", "reconciler"].contains(&name.as_str()) {
            let service = &pod["containers"][0];
            for (probe, path) in
                [("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")]
            {
                assert_eq!(service[probe]["httpGet"]["path"].as_str(), Some(path), "{name}");
            }
            let of_startup = |key: &str| service["startupProbe"][key].as_i64().unwrap();
            let startup_s = of_startup("periodSeconds") * of_startup("failureThreshold");
            // A minute for PostgreSQL to start, and a quarter of an hour for the migrations, before it answers.
            assert!(name != "webhook" || startup_s > 16 * 60, "{name} is killed after {startup_s} s");
        }
    }
}
