//! The sandbox's page in headless Chromium, driven by the scripts in services/sandbox/page-tests.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::processes::{Role, free_port, repository};

/// All stories together, on a slow machine.
const STORIES_TIMEOUT: Duration = Duration::from_mins(20);
const DEMO_TIMEOUT: Duration = Duration::from_mins(1);

#[test]
fn the_page_can_buy_stop_services_and_start_them_again() {
    let tools = Tools::find();
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let environment = BTreeMap::from([
        ("SANDBOX_ADDR".to_owned(), format!("127.0.0.1:{port}")),
        ("TMPDIR".to_owned(), folder.path().to_str().unwrap().to_owned()),
    ]);
    let mut demo = Role::start("demo", folder.path(), &environment);
    wait_for(port, &demo);

    let screenshots = repository().join("target/page-screenshots");
    std::fs::create_dir_all(&screenshots).unwrap();
    let output_path = folder.path().join("stories.log");
    let output = std::fs::File::create(&output_path).unwrap();
    let mut stories = Command::new(&tools.node)
        .arg(repository().join("services/sandbox/page-tests/stories.mjs"))
        .env("PAGE_ADDRESS", format!("http://127.0.0.1:{port}/"))
        .env("PAGE_BROWSER", &tools.browser)
        .env("PAGE_DRIVER", &tools.driver)
        .env("PAGE_SCREENSHOTS", &screenshots)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + STORIES_TIMEOUT;
    let status = loop {
        if let Some(status) = stories.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > deadline {
            stories.kill().unwrap();
            stories.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let told = std::fs::read_to_string(output_path).unwrap();
    println!("{told}");
    let shots = screenshots.display();
    assert!(
        status.is_some_and(|status| status.success()),
        "the page failed; screenshots are in {shots}:\n{told}\nthe demo said:\n{}",
        demo.log_tail()
    );
    assert!(demo.stop().success(), "the demo failed: {}", demo.log_tail());
}

/// What scripts/test installs.
struct Tools {
    node: PathBuf,
    browser: PathBuf,
    /// A folder with playwright-core in its node_modules.
    driver: PathBuf,
}

impl Tools {
    fn find() -> Self {
        let driver = repository().join("target/page-driver");
        assert!(
            driver.join("node_modules/playwright-core").exists(),
            "playwright-core is not in {}: run scripts/test, or `npm install --prefix {} playwright-core`",
            driver.display(),
            driver.display()
        );
        Self { node: program(&["node"]), browser: program(&["chromium", "chromium-browser"]), driver }
    }
}

fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let find = |name: &&str| folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path));
    names.iter().find_map(find).unwrap_or_else(|| {
        panic!("{} is missing: run scripts/test, which installs what the tests need", names[0])
    })
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}

fn wait_for(port: u16, demo: &Role) {
    let deadline = Instant::now() + DEMO_TIMEOUT;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "the demo does not listen: {}", demo.log_tail());
        std::thread::sleep(Duration::from_millis(50));
    }
}
