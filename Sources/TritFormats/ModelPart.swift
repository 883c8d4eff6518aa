package import TritCore

/// One of several files that together are a model, by its name: `NAME-00002-of-00005.gguf`.
///
/// llama.cpp's `gguf-split` and Hugging Face's shards are called so; GGUF parts say the same in the
/// keys `split.no` (from 0), `split.count` and `split.tensors.count`.
package struct ModelPart: Sendable, Equatable {
  /// The number of the part, from 1.
  package let number: Int
  /// How many parts there are.
  package let count: Int
  /// What stands before the number in the name, without folders.
  package let stem: String
  /// What stands behind, the dot included: `.gguf`.
  let ending: String
  /// Digits of a number in the name.
  let digits: Int

  /// Reads the name of a file, folders before it left out; nil for one that is no part.
  package init?(fileName path: String) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard
      let match = name.wholeMatch(of: #/(.*)-([0-9]{1,6})-of-([0-9]{1,6})(\.[A-Za-z0-9]+)/#),
      let number = Int(match.2), let count = Int(match.3), number >= 1, number <= count
    else { return nil }
    self.number = number
    self.count = count
    stem = String(match.1)
    ending = String(match.4)
    digits = match.2.count
  }

  /// Of a GGUF file's keys; nil where it is whole, or all its parts were opened with it.
  package init?(_ file: GGUFFile) {
    guard let count = file["split.count"]?.integer, count > 1, file.fileCount == 1 else {
      return nil
    }
    let named = ModelPart(fileName: file.path)
    number = (file["split.no"]?.integer).map { $0 + 1 } ?? named?.number ?? 1
    self.count = count
    stem = named?.stem ?? "MODEL"
    ending = ".gguf"
    digits = named?.digits ?? 5
  }

  /// The name of part `number`.
  package func name(_ number: Int) -> String {
    func padded(_ value: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    return "\(stem)-\(padded(number))-of-\(padded(count))\(ending)"
  }

  /// The names of all parts, in order; none where there are too many to be true.
  package var all: [String] { count <= 10_000 ? (1...count).map(name) : [] }

  /// The parts of the same model that are not in `names`.
  package func missing(among names: [String]) -> [String] {
    let present = Set(names)
    return all.filter { !present.contains($0) }
  }

  /// How the parts of a GGUF file become one.
  package var joinAdvice: String {
    "put all parts into one folder under their own names and name \(name(1)), or join them with "
      + "llama.cpp's tool: llama-gguf-split --merge \(name(1)) \(stem)\(ending); then name "
      + "\(stem)\(ending)"
  }

  /// The error for a part that stands where a whole model was asked for.
  package func error(at path: String) -> LabError {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let names = (try? FolderListing(folder).names) ?? []
    let missing = missing(among: names)
    return LabError(
      .badData, "this is part \(number) of \(count) of a split GGUF model", at: path,
      expected: "the whole model: one file, or all its parts in one folder under their names",
      got: missing.isEmpty
        ? "all \(count) parts are in the folder"
        : "\(count - missing.count) of \(count) parts are in the folder; \(Safetensors.list(missing)) "
          + "missing",
      advice: (missing.isEmpty ? "" : "get the missing parts, then ") + joinAdvice)
  }
}
