/// A data set that people ask for by name.
public struct KnownDataset: Sendable {
  /// The name, `set/split`.
  public let name: String
  /// Paths below the data folder where it may lie, the usual one first.
  public let files: [String]
  /// Where to get it.
  public let origin: String

  /// The data sets that `TextDataset.load` knows.
  public static let all: [KnownDataset] = {
    let wikitext =
      "get https://huggingface.co/datasets/ggml-org/ci/resolve/main/wikitext-2-raw-v1.zip "
      + "(CC BY-SA 3.0) and unpack it"
    var sets = [("test", "test"), ("valid", "valid"), ("train", "train")].map { split, file in
      KnownDataset(
        name: "wikitext-2-raw/\(split)",
        files: ["wikitext-2-raw/wiki.\(file).raw", "wiki.\(file).raw"], origin: wikitext)
    }
    sets.append(
      KnownDataset(
        name: "tinyshakespeare",
        files: ["tinyshakespeare.txt", "tinyshakespeare/input.txt"],
        origin: "get https://raw.githubusercontent.com/karpathy/char-rnn/master/data/"
          + "tinyshakespeare/input.txt"))
    sets += [("valid", "valid"), ("train", "train")].map { split, file in
      KnownDataset(
        name: "tinystories/\(split)",
        files: ["TinyStories-\(file).txt", "tinystories/TinyStories-\(file).txt"],
        origin: "get https://huggingface.co/datasets/roneneldan/TinyStories/resolve/main/"
          + "TinyStories-\(file).txt (CDLA-Sharing-1.0)")
    }
    return sets
  }()

  /// The data set called `name`; `wikitext-2-raw` alone is its test split.
  public static func named(_ name: String) -> KnownDataset? {
    let name = name == "wikitext-2-raw" || name == "wikitext2" ? "wikitext-2-raw/test" : name
    return all.first { $0.name == name }
  }
}
