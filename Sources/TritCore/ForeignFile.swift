/// What a file is that was taken for a model, a tokenizer or a configuration and is none, by its
/// first bytes.
///
/// Downloads go wrong in a few known ways (a pointer in place of the file, the page of an error, a
/// part), and formats are mixed up in a few more: a message that names what is there saves the
/// search. Sources of the signatures: git-lfs `docs/spec.md`, WHATWG "MIME Sniffing", RFC 1952
/// (gzip), PKWARE APPNOTE (zip), Python `pickletools` (protocols 2 to 5), RFC 8878 (zstd).
public struct ForeignFile: Sendable, Equatable {
  /// What it is, as a sentence without a full stop: `this is a git-lfs pointer, not the file`.
  public let what: String
  /// More of it, for `got`.
  public let got: String?
  /// What to do.
  public let advice: String
  /// Whether it is a text, so that a reader of texts may take it for one.
  public let isText: Bool

  /// The error for the file at `path`, where `expected` should have been.
  public func error(at path: String, expected: String) -> LabError {
    LabError(
      .badData, what, at: path, expected: expected, got: got,
      advice: advice.replacing("{PATH}", with: path).replacing(
        "{REPOSITORY}", with: Self.repository(path)))
  }

  private static func repository(_ path: String) -> String {
    HuggingFaceCache.repository(of: path) ?? "ORG/NAME"
  }

  /// Recognizes `bytes`, the beginning of a file or all of it; nil for what is none of these, GGUF,
  /// safetensors and JSON among them.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    let head = Array(bytes.prefix(1024))
    guard
      let known = Self.pointer(head) ?? Self.page(head) ?? Self.archive(head) ?? Self.model(head)
        ?? Self.other(head)
    else { return nil }
    self = known
  }

  private init(_ what: String, got: String? = nil, isText: Bool = false, advice: String) {
    self.what = what
    self.got = got
    self.isText = isText
    self.advice = advice
  }

  private static let again =
    "get the file again, as with: hf download {REPOSITORY}"

  // MARK: Downloads gone wrong

  private static func pointer(_ head: [UInt8]) -> ForeignFile? {
    guard head.starts(with: "version https://git-lfs.github.com/spec/".utf8) else { return nil }
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\n")
    let size = lines.first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
    return ForeignFile(
      "this is a git-lfs pointer, not the file that it stands for",
      got: size.map { "a pointer to a file of \($0) bytes" }, isText: true,
      advice:
        "get the file itself: 'git lfs install' and 'git lfs pull' in the repository's folder, or hf "
        + "download {REPOSITORY}")
  }

  private static func page(_ head: [UInt8]) -> ForeignFile? {
    let text = head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]
    let words = text.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
      .prefix(16).map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
    let starts = ["<!doctype", "<html", "<head", "<body", "<?xml", "<error>"]
    guard let start = starts.first(where: { words.starts(with: $0.utf8) }) else { return nil }
    let isPage = start != "<?xml" && start != "<error>"
    return ForeignFile(
      isPage
        ? "this is a web page, not the file" : "this is XML, as servers send it with an error",
      isText: true,
      advice:
        "the address was that of a page, or asked for a login: use the address with /resolve/ in it, not "
        + "/blob/, or hf download {REPOSITORY}")
  }

  private static func archive(_ head: [UInt8]) -> ForeignFile? {
    if head.starts(with: [0x50, 0x4B, 3, 4]) {
      let length = head.count > 27 ? Int(head[26]) | Int(head[27]) << 8 : 0
      let name = String(decoding: head.dropFirst(30).prefix(length), as: UTF8.self)
      // torch.save: a zip whose first entry is ARCHIVE/data.pkl.
      if name.hasSuffix("/data.pkl") { return pickle("a PyTorch checkpoint (zip with pickles)") }
      if name.hasSuffix(".npy") {
        return ForeignFile("this is an archive of NumPy arrays", advice: unpack("unzip"))
      }
      return ForeignFile("this is a zip archive", advice: unpack("unzip"))
    }
    let names: [(bytes: [UInt8], name: String, tool: String)] = [
      ([0x1F, 0x8B], "a gzip file", "gunzip"), ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file", "unzstd"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "an xz file", "unxz"),
      ([0x42, 0x5A, 0x68], "a bzip2 file", "bunzip2"),
      ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7-Zip archive", "7z x"),
      ([0x52, 0x61, 0x72, 0x21, 0x1A, 7], "a RAR archive", "unrar x"),
    ]
    if let known = names.first(where: { head.starts(with: $0.bytes) }) {
      return ForeignFile("this is \(known.name)", advice: unpack(known.tool))
    }
    if head.count > 262, head[257..<262].elementsEqual("ustar".utf8) {
      return ForeignFile("this is a tar archive", advice: unpack("tar -xf"))
    }
    return nil
  }

  private static func unpack(_ tool: String) -> String {
    "unpack it, as with: \(tool) {PATH}; then name the file that comes out"
  }

  private static func pickle(_ what: String) -> ForeignFile {
    ForeignFile(
      "this is \(what), which is not read: pickles can run code",
      advice:
        "get the model as safetensors: hf download {REPOSITORY} --include '*.safetensors' --include '*.json'; "
        + "or save it anew as such in Python, with transformers' save_pretrained")
  }

  // MARK: Other formats of models

  private static func model(_ head: [UInt8]) -> ForeignFile? {
    if head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]),
      head.count < 3 || "}](cX\u{8A}\u{95}q".unicodeScalars.contains(Unicode.Scalar(head[2]))
    {
      return pickle("a Python pickle, as old PyTorch checkpoints are")
    }
    if head.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      return ForeignFile("this is an HDF5 file (Keras)", advice: again)
    }
    if head.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) {
      return ForeignFile("this is a NumPy array", advice: again)
    }
    let old = ["lmgg", "fmgg", "tjgg", "algg"]
    if let letters = old.first(where: { head.starts(with: $0.utf8) }) {
      return ForeignFile(
        "a GGML file from before GGUF", got: "the letters \(String(letters.reversed()))",
        advice: "convert the model again with a present converter")
    }
    return nil
  }

  // MARK: Anything else

  private static func other(_ head: [UInt8]) -> ForeignFile? {
    if head.starts(with: "%PDF-".utf8) { return ForeignFile("this is a PDF", advice: again) }
    if head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
      return ForeignFile("this is a program", advice: again)
    }
    if head.starts(with: [0x89, 0x50, 0x4E, 0x47]) || head.starts(with: [0xFF, 0xD8, 0xFF]) {
      return ForeignFile("this is a picture", advice: again)
    }
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
      return ForeignFile(
        "this is UTF-16 text", advice: "convert it, as with: iconv -f UTF-16 -t UTF-8 {PATH} > FILE"
      )
    }
    if head.count >= 64, head.allSatisfy({ $0 == 0 }) {
      return ForeignFile(
        "the file begins with zeros: a download that was not finished",
        advice: again)
    }
    return nil
  }
}
