//! `tolov click-test`: command line, output and exit code around the library.

use std::{
    io::{IsTerminal, Write as _, stderr},
    time::Duration,
};

use anyhow::{Context, Result};
use tolov_click_test::{
    CreateCall, Options, Order, OrderSource, Progress, UsageError, catalogue, given_order, header,
};
use tolov_kit::{lifecycle::Ending, secret::Secret};
use url::Url;

use super::text_file;
use crate::cli::{ClickTest, ClickTestFormat};

/// Runs the cases and prints the report. A [`UsageError`] means that nothing could be tested.
pub(crate) async fn run(arguments: ClickTest) -> Result<Ending> {
    if arguments.list {
        print(&catalogue());
        return Ok(Ending::Clean);
    }
    let options = options(&arguments)?;
    let report = tolov_click_test::run(options, show_progress).await?;
    match arguments.format {
        ClickTestFormat::Table => print(&report.table(arguments.verbose)),
        ClickTestFormat::Json => print(&report.json()),
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, report.junit())
            .with_context(|| format!("cannot write {}: choose another --junit", path.display()))?;
    }
    match report.exit_code() {
        0 => Ok(Ending::Clean),
        1 => Ok(Ending::Failed),
        _ => Err(UsageError::NothingTested.into()),
    }
}

fn options(arguments: &ClickTest) -> Result<Options> {
    let address =
        |own: &Option<Url>| own.clone().or_else(|| arguments.url.clone()).ok_or(UsageError::NoAddress);
    let (prepare_url, complete_url) = (address(&arguments.prepare_url)?, address(&arguments.complete_url)?);
    for url in [&prepare_url, &complete_url].into_iter().chain(&arguments.create_url) {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UsageError::NotHttp(url.scheme().to_owned()).into());
        }
    }
    Ok(Options {
        complete_url,
        orders: orders(arguments)?,
        unknown_order: arguments.unknown_order.clone(),
        only: arguments.only.clone(),
        answer_timeout: Duration::from_secs(arguments.timeout),
        deadline: Duration::from_secs(arguments.deadline),
        parallel: usize::from(arguments.parallel),
        ..Options::new(prepare_url, arguments.service_id.unwrap_or_default(), secret(arguments)?)
    })
}

fn secret(arguments: &ClickTest) -> Result<Secret> {
    let text = match &arguments.secret_file {
        None => arguments.secret.clone().unwrap_or_default(),
        Some(path) => {
            text_file::read(path).map_err(|source| UsageError::SecretFile { path: path.clone(), source })?
        }
    };
    if text.is_empty() {
        return Err(UsageError::EmptySecret.into());
    }
    Ok(Secret::new(text))
}

fn orders(arguments: &ClickTest) -> Result<OrderSource, UsageError> {
    if let (Some(url), Some(body)) = (&arguments.create_url, &arguments.create_body) {
        let amount = Order::new("", &arguments.create_amount)
            .ok_or_else(|| UsageError::BadOrder(format!("--create-amount {}", arguments.create_amount)))?;
        return Ok(OrderSource::Create(Box::new(CreateCall {
            url: url.clone(),
            headers: arguments.create_headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?,
            body: body.clone(),
            id_field: arguments.create_id_field.clone(),
            link_field: arguments.create_link_field.clone(),
            amount,
        })));
    }
    if arguments.orders.is_empty() {
        return Ok(OrderSource::None);
    }
    let orders = arguments.orders.iter().map(|text| given_order(text)).collect::<Result<_, _>>()?;
    Ok(OrderSource::Given(orders))
}

/// Rewrites one line of the terminal; silent where there is none.
fn show_progress(progress: Progress) {
    let mut line = stderr();
    if !line.is_terminal() {
        return;
    }
    // Losing the terminal must not stop the run.
    let _ = match progress.case {
        Some(case) => write!(
            line,
            "\r\x1b[2K[{}/{}] {case}{}",
            progress.done,
            progress.all,
            if progress.failed > 0 { format!("  ({} failed)", progress.failed) } else { String::new() }
        ),
        None => write!(line, "\r\x1b[2K"),
    };
    let _ = line.flush();
}

fn print(text: &str) {
    print!("{text}");
}
