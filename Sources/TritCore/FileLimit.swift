/// The largest file of a kind that is read into memory.
///
/// Every reader that holds a whole file, or what it makes of one, asks here before it takes a byte.
/// Each limit lies far above what real files have, and low enough that what a reader makes of it
/// (some twelve bytes for one byte of JSON) fits a small machine.
public struct FileLimit: Sendable, Equatable {
  /// What kind of file it is, with its article: `a configuration`.
  public let what: String
  /// Bytes.
  public let bytes: Int

  /// A limit of one's own.
  public init(_ what: String, bytes: Int) {
    self.what = what
    self.bytes = bytes
  }

  /// `config.json`, `tokenizer_config.json` and their like: real ones have kilobytes, with a chat
  /// template inside at most 2 MB.
  public static let configuration = FileLimit("a configuration", bytes: 16 << 20)
  /// `tokenizer.json`, `tokenizer.model`, tiktoken ranks: the largest known has 35 MB (Gemma).
  public static let tokenizer = FileLimit("a tokenizer", bytes: 128 << 20)
  /// `model.safetensors.index.json`: one line a tensor, 10 MB for the largest models.
  public static let index = FileLimit("an index of shards", bytes: 64 << 20)
  /// Everything in a GGUF file but the tensors; a vocabulary of 262,144 tokens with its merges has
  /// 12 MB.
  public static let metadata = FileLimit("the metadata of a GGUF file", bytes: 256 << 20)
  /// Experiment and training files.
  public static let yaml = FileLimit("an experiment file", bytes: 4 << 20)
  /// Texts: what offsets of 32 bits reach, as in `Tokenizer.encode`.
  public static let text = FileLimit("a text", bytes: Int(Int32.max) - 1)
  /// Texts from standard input, pipes and devices, which have no size beforehand.
  public static let stream = FileLimit("a text from a stream", bytes: 256 << 20)
  /// Multiple-choice questions.
  public static let questions = FileLimit("a file of questions", bytes: 256 << 20)
  /// One line of a JSONL file.
  public static let line = FileLimit("a line of JSONL", bytes: 16 << 20)
  /// `results.jsonl` of a run, `metrics.jsonl` of a training.
  public static let records = FileLimit("a file of records", bytes: 512 << 20)
  /// Small files that the lab itself writes, and templates of figures.
  public static let small = FileLimit("a file of the lab's own", bytes: 1 << 20)

  /// Throws `badData` where `count` bytes at `place` are more than the limit.
  public func check(_ count: Int, at place: String) throws {
    guard count > bytes else { return }
    throw LabError(
      .badData, "too large for \(what)", at: place, expected: "at most \(bytes) bytes (\(size))",
      got: "\(count) bytes", advice: "check that this is the file that you meant")
  }

  /// For more bytes than were counted: a stream goes on.
  func endless(at place: String) -> LabError {
    LabError(
      .badData, "too large for \(what)", at: place, expected: "at most \(bytes) bytes (\(size))",
      got: "more", advice: "check that this is the file that you meant")
  }

  /// The limit in words: `16 MiB`.
  public var size: String {
    bytes >= 1 << 30 && bytes & (1 << 30 - 1) == 0
      ? "\(bytes >> 30) GiB"
      : bytes >= 1 << 20 ? "\((bytes + 1 << 19) >> 20) MiB" : "\(bytes >> 10) KiB"
  }
}
