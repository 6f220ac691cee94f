//! Archives: round trips, what other programs make, and what is refused.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail by panicking; tar and Python are programs"
)]

use std::io::{Cursor, Write as _};
use std::process::Command;

use crate::kit::{TODAY, code, collect, feed};
use bailee_content::archive::{
    Caps, Compression, Entries, Entry, Event, Format, NewEntry, Packer, compress, decompress,
    extract_tar, extract_zip,
};
use bailee_content::{Error, Result};
use proptest::prelude::{any, prop};
use proptest::test_runner::{Config, TestRunner};

type Files = Vec<(String, Vec<u8>)>;

/// Folders have a name that ends with a slash.
async fn pack(files: &Files, format: Format) -> Result<Vec<u8>> {
    let (sink, all) = collect();
    let mut packer = Packer::start(sink, format);
    for (name, content) in files {
        let entry = NewEntry {
            name: name.clone(),
            is_folder: name.ends_with('/'),
            size_bytes: content.len() as u64,
            modified: Some(TODAY),
        };
        packer.add(entry, feed(content.clone())).await?;
    }
    packer.finish().await?;
    Ok(all.await.unwrap())
}

async fn unpack(mut entries: Entries) -> Result<Files> {
    let mut files: Files = Vec::new();
    while let Some(event) = entries.next().await {
        match event? {
            Event::Entry(Entry {
                name, is_folder, ..
            }) => files.push((if is_folder { name + "/" } else { name }, Vec::new())),
            Event::Piece(piece) => files.last_mut().unwrap().1.extend_from_slice(&piece),
            Event::End(summary) => {
                assert_eq!(summary.entries, files.len() as u64);
                return Ok(files);
            }
        }
    }
    Err(Error::Abandoned)
}

fn open(bytes: Vec<u8>, format: Format, caps: Caps) -> Entries {
    match format {
        Format::Zip => extract_zip(Cursor::new(bytes), caps),
        Format::Tar(compression) => extract_tar(feed(bytes), compression, caps),
    }
}

const FORMATS: [Format; 4] = [
    Format::Zip,
    Format::Tar(None),
    Format::Tar(Some(Compression::Gzip)),
    Format::Tar(Some(Compression::Zstd)),
];

fn files() -> Files {
    let numbers: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    vec![
        ("empty.txt".into(), vec![]),
        ("in/".into(), vec![]),
        ("in/numbers.bin".into(), numbers),
        ("in/übung.txt".into(), b"text".to_vec()),
        (format!("{}/deep.txt", "long".repeat(40)), b"x".repeat(513)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_is_unpacked() {
    for format in FORMATS {
        let bytes = pack(&files(), format).await.unwrap();
        let found = unpack(open(bytes, format, Caps::default())).await.unwrap();
        assert!(found == files(), "{format:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_read_ours_and_we_read_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let script = "import sys,zipfile,tarfile\n\
        z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(sorted(z.namelist()))\n\
        t=tarfile.open(sys.argv[2]); print(sorted(m.name for m in t))\n\
        o=zipfile.ZipFile(sys.argv[3],'w',zipfile.ZIP_DEFLATED)\n\
        with o.open('a/big.txt','w',force_zip64=True) as f: f.write(b'z'*5000)\n\
        o.writestr('b.txt','stored',zipfile.ZIP_STORED); o.close()\n\
        for f,n in ((tarfile.PAX_FORMAT,4),(tarfile.GNU_FORMAT,5)):\n\
        \x20 import io; t=tarfile.open(sys.argv[n],'w:gz',format=f); i=tarfile.TarInfo('n'*150+'/é'); i.size=4; t.addfile(i,io.BytesIO(b'four')); t.close()\n";
    let path = |name: &str| folder.path().join(name);
    for (name, format) in [("o.zip", Format::Zip), ("o.tgz", FORMATS[2])] {
        std::fs::write(path(name), pack(&files(), format).await.unwrap()).unwrap();
    }
    let output = Command::new("python3")
        .args(["-c", script])
        .args(["o.zip", "o.tgz", "t.zip", "pax.tgz", "gnu.tgz"].map(path))
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{talk}");
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(names.matches("in/übung.txt").count(), 2, "{names}");
    let theirs = std::fs::read(path("t.zip")).unwrap();
    let found = unpack(open(theirs, Format::Zip, Caps::default())).await;
    let expected: Files = vec![
        ("a/big.txt".into(), b"z".repeat(5000)),
        ("b.txt".into(), b"stored".to_vec()),
    ];
    assert_eq!(found.unwrap(), expected);
    for name in ["pax.tgz", "gnu.tgz"] {
        let theirs = std::fs::read(path(name)).unwrap();
        let found = unpack(open(theirs, FORMATS[2], Caps::default())).await;
        assert_eq!(found.unwrap(), [("n".repeat(150) + "/é", b"four".to_vec())]);
    }
}

/// A tar file of one header with the name and kind given, and without content.
fn tar(entries: &[(&str, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind) in entries {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(b"00000000000");
        block[148..156].copy_from_slice(b"        ");
        block[156] = *kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(block);
    }
    bytes.extend([0; 1024]);
    bytes
}

/// A ZIP file whose entries have any name.
fn zip(names: &[&str]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for name in names {
        writer.start_file(*name, options).unwrap();
        writer.write_all(b"x").unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_could_do_harm_are_refused() {
    let long = "a".repeat(2000);
    for (name, expected) in [
        ("../up", "archive_entry_path"),
        ("a/../../up", "archive_entry_path"),
        ("a/./b", "archive_entry_path"),
        ("a//b", "archive_entry_path"),
        ("/etc/passwd", "archive_entry_path"),
        ("C:/boot", "archive_entry_path"),
        ("c:boot", "archive_entry_path"),
        ("..\\up", "archive_entry_path"),
        ("a\nb", "archive_entry_name"),
        (&long, "archive_entry_name"),
    ] {
        let outcome = unpack(open(zip(&[name]), Format::Zip, Caps::default())).await;
        assert_eq!(code(outcome), expected, "zip {name:?}");
        if name.len() < 100 {
            let bytes = tar(&[(name, b'0')]);
            let outcome = unpack(open(bytes, Format::Tar(None), Caps::default())).await;
            assert_eq!(code(outcome), expected, "tar {name:?}");
        }
        let outcome = pack(&vec![(name.to_owned(), vec![])], Format::Zip).await;
        assert_eq!(code(outcome), expected, "made {name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_devices_and_duplicates_are_refused() {
    for (entries, expected) in [
        (&[("l", b'2')][..], "archive_entry_link"),
        (&[("l", b'1')], "archive_entry_link"),
        (&[("d", b'3')], "archive_entry_special"),
        (&[("s", b'S')], "archive_entry_special"),
        (&[("a", b'0'), ("a", b'0')], "archive_entry_duplicate"),
        (&[("a", b'0'), ("a/b", b'0')], "archive_entry_duplicate"),
        (&[("a/b", b'0'), ("a", b'0')], "archive_entry_duplicate"),
    ] {
        let outcome = unpack(open(tar(entries), Format::Tar(None), Caps::default())).await;
        assert_eq!(code(outcome), expected, "{entries:?}");
    }
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.add_symlink("l", "/etc/passwd", options).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let outcome = unpack(open(bytes, Format::Zip, Caps::default())).await;
    assert_eq!(code(outcome), "archive_entry_link");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_share_bytes_are_refused() {
    let mut bytes = zip(&["a", "b"]);
    // The second entry of the catalogue is pointed at the first, whose name is another.
    let second = bytes
        .windows(4)
        .rposition(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[second + 42..second + 46].copy_from_slice(&[0; 4]);
    let outcome = unpack(open(bytes.clone(), Format::Zip, Caps::default())).await;
    assert_eq!(code(outcome), "archive_entry_damaged");
    // The first entry is said to reach into the second.
    let bytes = zip(&["a", "b"]);
    let mut grown = bytes;
    let first = grown
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    for place in [first + 20, first + 24] {
        grown[place] = 20;
    }
    let outcome = unpack(open(grown, Format::Zip, Caps::default())).await;
    assert_eq!(code(outcome), "archive_entry_overlap");
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_hold() {
    for format in FORMATS {
        let bytes = pack(&files(), format).await.unwrap();
        let caps = Caps {
            entries_max: 3,
            ..Caps::default()
        };
        let outcome = unpack(open(bytes.clone(), format, caps)).await;
        assert_eq!(code(outcome), "archive_too_many_entries");
        let caps = Caps {
            bytes_max: 1000,
            ..Caps::default()
        };
        let outcome = unpack(open(bytes, format, caps)).await;
        assert_eq!(code(outcome), "content_too_large");
    }
    let zeros = vec![("zeros".to_owned(), vec![0; 8 << 20])];
    for format in [FORMATS[0], FORMATS[2], FORMATS[3]] {
        let bytes = pack(&zeros, format).await.unwrap();
        let outcome = unpack(open(bytes, format, Caps::default())).await;
        assert_eq!(code(outcome), "content_too_dense", "{format:?}");
    }
}

/// More entries than a ZIP file of the old kind can count.
#[tokio::test(flavor = "multi_thread")]
async fn very_many_entries_are_packed_and_unpacked() {
    let files: Files = (0..66_000).map(|n| (format!("{n}"), vec![])).collect();
    let bytes = pack(&files, Format::Zip).await.unwrap();
    let caps = Caps {
        entries_max: 70_000,
        ..Caps::default()
    };
    let found = unpack(open(bytes.clone(), Format::Zip, caps)).await;
    assert!(found.unwrap() == files);
    let outcome = unpack(open(bytes, Format::Zip, Caps::default())).await;
    assert_eq!(code(outcome), "archive_too_many_entries");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_is_packed_and_unpacked() {
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    for by in [Compression::Gzip, Compression::Zstd] {
        let (sink, all) = collect();
        let count = compress(feed(content.clone()), sink, by).await.unwrap();
        assert_eq!(count, content.len() as u64);
        let packed = all.await.unwrap();
        assert!(packed.len() < content.len());
        let again = |packed: Vec<u8>, bytes_max| async move {
            let (sink, all) = collect();
            let caps = Caps {
                bytes_max,
                ..Caps::default()
            };
            decompress(feed(packed), sink, by, caps).await?;
            Ok::<_, Error>(all.await.unwrap())
        };
        assert!(again(packed.clone(), 1 << 30).await.unwrap() == content);
        let cut = packed[..packed.len() - 3].to_vec();
        assert_eq!(code(again(cut, 1 << 30).await), "archive_damaged");
        assert_eq!(code(again(packed, 1000).await), "content_too_large");
    }
}

/// Whatever bytes come, the answer is an error or content within the caps, and never a name that climbs.
#[test]
fn hostile_bytes_do_no_harm() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let good: Vec<Vec<u8>> = FORMATS
        .iter()
        .map(|format| runtime.block_on(pack(&files(), *format)).unwrap())
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let case = (
        0..FORMATS.len(),
        changes,
        any::<prop::sample::Index>(),
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let checked = runner.run(&case, |(which, changes, cut, is_cut)| {
        let mut bytes = good[which].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let caps = Caps {
            bytes_max: 1 << 20,
            ..Caps::default()
        };
        if let Ok(files) = runtime.block_on(unpack(open(bytes, FORMATS[which], caps))) {
            for (name, _) in files {
                assert!(!name.starts_with('/') && !name.split('/').any(|part| part == ".."));
            }
        }
        Ok(())
    });
    checked.unwrap();
}
