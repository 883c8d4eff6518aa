import Foundation
import TritCore

/// What to type where the records of a task are missing, or lie there as Parquet.
enum ParquetAdvice {
  /// Parquet files of a split: `place.parquet`, or the hub's `place-00000-of-00002.parquet`,
  /// sorted.
  static func files(_ place: String) -> [String] {
    let folder = (place as NSString).deletingLastPathComponent
    let split = (place as NSString).lastPathComponent
    guard FileKind(at: folder) == .folder, let listing = try? FolderListing(folder) else {
      return []
    }
    return listing.names.filter {
      $0.hasSuffix(".parquet") && ($0 == split + ".parquet" || $0.hasPrefix(split + "-"))
    }.sorted().map { folder + "/" + $0 }
  }

  /// The error for a split that is there as Parquet.
  static func error(
    _ files: [String], _ task: HarnessTask, _ split: String, root: String?
  ) -> LabError {
    let target = root.map { "\($0)/\(folder(task))/\(split).jsonl" } ?? jsonl(files[0])
    return LabError(
      .badData, "the records of \(task.name) are a Parquet file, which is not read", at: files[0],
      expected: "JSONL, plain or gzip",
      advice: "convert it (pip install datasets): " + conversion(of: files, to: target))
  }

  /// The error for a split that is nowhere.
  static func missing(
    _ task: HarnessTask, _ split: String, root: String, tried: [String], _ what: String
  ) -> LabError {
    LabError(
      .missingInput, "the \(what) of \(task.name) (split '\(split)') are not there", at: root,
      expected: tried.prefix(3).map { $0 + ".jsonl" }.joined(separator: ", or ") + ", plain or .gz",
      advice: "get them (pip install datasets): "
        + download(task, split, to: "\(root)/\(folder(task))/\(split).jsonl"))
  }

  /// Makes JSONL of Parquet files; `pip install datasets` has what it imports.
  static func conversion(of files: [String], to target: String) -> String {
    let code =
      "import datasets,os,sys; *a,b=sys.argv[1:]; os.makedirs(os.path.dirname(b) or \".\","
      + "exist_ok=True); datasets.Dataset.from_parquet(a).to_json(b,force_ascii=False)"
    return "python3 -c '\(code)' "
      + (files + [target]).map(quoted).joined(separator: " ")
  }

  /// Gets a split from the hub and writes it as JSONL.
  static func download(_ task: HarnessTask, _ split: String, to target: String) -> String {
    // All subjects at once: 57 times two files would be a hundred commands.
    let configuration = task.part == nil ? task.configuration : "all"
    let code =
      "import datasets,os,sys; p,n,s,b=sys.argv[1:]; os.makedirs(os.path.dirname(b) or \".\","
      + "exist_ok=True); datasets.load_dataset(p,n or None,split=s).to_json(b,force_ascii=False)"
    return "python3 -c '\(code)' "
      + [task.dataset, configuration ?? "", split, target].map(quoted).joined(separator: " ")
  }

  private static func folder(_ task: HarnessTask) -> String {
    task.part == nil ? task.name : "mmlu"
  }

  private static func jsonl(_ path: String) -> String { String(path.dropLast(8)) + ".jsonl" }

  /// A word as a POSIX shell takes it.
  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || "/._-+=:,".utf8.contains($0)
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
