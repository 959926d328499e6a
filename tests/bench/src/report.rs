//! The table of a run, its file, and the comparison with the committed ratios.

use std::fmt::Display;
use std::path::Path;

use crate::Failure;
use crate::measure::Row;

/// How far a ratio may be above the committed one.
const TOLERANCE: f64 = 1.25;

/// Prints the rows as a Markdown table.
pub fn print(rows: &[Row]) {
    println!(
        "| function | init ms (to the floor) | first ms | warm p50 ms (to the baseline) | p99 ms | CPU ms | allocations \
         | units | partner calls | memory MB | size MB | zip MB |"
    );
    println!("|{}", " --- |".repeat(12));
    for row in rows {
        let of =
            |figure: fn(&crate::measure::Invocations) -> String| row.invocations.as_ref().map_or("".to_owned(), figure);
        let cells: [&dyn Display; 12] = [
            &row.name,
            &format!("{:.2} ({:.2})", row.init, row.init_ratio),
            &of(|of| format!("{:.2}", of.first)),
            &format!("{} {}", of(|of| format!("{:.3} ({:.2})", of.p50, of.ratio)), row.baseline),
            &of(|of| format!("{:.2}", of.p99)),
            &of(|of| format!("{:.3}", of.processor_time)),
            &of(|of| format!("{:.0}", of.allocations)),
            &of(|of| format!("{}", of.units)),
            &of(|of| format!("{}", of.partner_calls)),
            &megabytes(row.peak_memory),
            &megabytes(row.program_size),
            &megabytes(row.zip_size),
        ];
        println!("| {} |", cells.map(ToString::to_string).join(" | "));
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e6)
}

/// Writes the rows as JSON.
pub fn write(rows: &[Row], path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    std::fs::write(path, serde_json::to_string_pretty(rows)?)?;
    Ok(())
}

/// Compares ratios and sizes with the committed ones.
///
/// # Errors
/// Names each that is too far above.
pub fn check(rows: &[Row], committed: &Path) -> Result<(), Failure> {
    let committed: Vec<Row> = serde_json::from_str(&std::fs::read_to_string(committed)?)?;
    let mut worse = Vec::new();
    for row in rows {
        let Some(old) = committed.iter().find(|old| old.name == row.name) else {
            worse.push(format!("{} has no committed figures", row.name));
            continue;
        };
        for (figure, new, old) in compared(row, old) {
            if new > old * TOLERANCE {
                worse.push(format!("{}: {figure} {new:.2}, committed {old:.2}", row.name));
            }
        }
    }
    if worse.is_empty() { Ok(()) } else { Err(worse.join("\n").into()) }
}

/// The figures of both that do not depend on the machine.
fn compared(row: &Row, old: &Row) -> Vec<(&'static str, f64, f64)> {
    let mut figures = vec![
        ("init to the floor", row.init_ratio, old.init_ratio),
        ("size", row.program_size as f64, old.program_size as f64),
        ("zip", row.zip_size as f64, old.zip_size as f64),
    ];
    if let (Some(new), Some(old)) = (&row.invocations, &old.invocations) {
        figures.push(("warm to the baseline", new.ratio, old.ratio));
        figures.push(("allocations", new.allocations, old.allocations));
        figures.push(("units", new.units, old.units));
        figures.push(("partner calls", new.partner_calls as f64, old.partner_calls as f64));
    }
    figures
}
