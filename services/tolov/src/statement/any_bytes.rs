//! Files of any bytes: damaged exports, and workbooks of which one part is damaged.

use tolov_contract::fuzzing::fuzz_some;

use super::{columns::Columns, row::Statement, table};

/// The parts of a workbook.
const PARTS: [(&str, &[u8]); 6] = [
    ("_rels/.rels", include_bytes!("../../../../checks/fuzz/corpus/workbook/package")),
    ("xl/workbook.xml", include_bytes!("../../../../checks/fuzz/corpus/workbook/book")),
    ("xl/_rels/workbook.xml.rels", include_bytes!("../../../../checks/fuzz/corpus/workbook/relations")),
    ("xl/worksheets/sheet1.xml", include_bytes!("../../../../checks/fuzz/corpus/workbook/sheet")),
    ("xl/sharedStrings.xml", include_bytes!("../../../../checks/fuzz/corpus/workbook/strings")),
    ("xl/styles.xml", include_bytes!("../../../../checks/fuzz/corpus/workbook/styles")),
];

/// A ZIP archive without compression: damage is then where the parser of a part meets it, and no checksum finds it before.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (mut files, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in parts {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut about = [short(20), [0; 2], [0; 2], [0; 2], short(33)].concat();
        about.extend(crc.sum().to_le_bytes());
        about.extend([long(bytes.len()), long(bytes.len())].concat());
        about.extend([short(name.len()), [0; 2]].concat());
        directory.extend(
            [&b"PK\x01\x02"[..], &short(20), &about, &[0; 10], &long(files.len()), name.as_bytes()].concat(),
        );
        files.extend([&b"PK\x03\x04"[..], &about, name.as_bytes(), bytes].concat());
    }
    let count = short(parts.len());
    let end =
        [&b"PK\x05\x06"[..], &[0; 4], &count, &count, &long(directory.len()), &long(files.len()), &[0; 2]]
            .concat();
    [files, directory, end].concat()
}

/// Whether it has payments.
fn read(bytes: &[u8]) -> bool {
    let Ok(rows) = table::rows(bytes.to_vec()) else { return false };
    assert!(rows.iter().all(|(_, row)| row.len() <= 200));
    let Ok((columns, first)) = Columns::find(&rows, &[]) else { return false };
    let most = rows.len() - first;
    let statement = Statement::read(&columns, rows, first);
    let others = statement.unreadable.len() + statement.left_out.values().sum::<usize>();
    assert!(statement.payments.len() + others <= most, "more than there are rows: {statement:?}");
    assert_eq!(statement.span.is_some(), !statement.payments.is_empty());
    !statement.payments.is_empty()
}

#[test]
fn a_statement_of_any_bytes_is_read_or_refused() {
    fuzz_some("statement", 2_000, |bytes| {
        read(bytes);
    });
}

#[test]
fn a_workbook_with_a_part_of_any_bytes_is_read_or_refused() {
    assert!(read(&archive(&PARTS)));
    fuzz_some("workbook", 500, |bytes| {
        for damaged in 0..PARTS.len() {
            let mut parts = PARTS;
            parts[damaged].1 = bytes;
            read(&archive(&parts));
        }
    });
}
