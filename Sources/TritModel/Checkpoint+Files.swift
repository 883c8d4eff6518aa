import TritCore

extension Checkpoint {
  /// Names of files that say how text becomes tokens, beside weights that do not.
  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "generation_config.json",
    "chat_template.jinja",
  ]

  /// Keeps open what the tokenizer will be read from: the checkpoint's own files, or those in the
  /// folder of a GGUF file.
  static func keepTokenizer(of path: String, in files: OpenedFiles) {
    let folder =
      ModelLocation.isDirectory(path)
      ? path : path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    files.keep(tokenizerFiles.map { "\(folder)/\($0)" })
  }

  /// SHA-256 of everything that was read to make this model, 64 hex digits, and its size in bytes:
  /// that of the file where there is one, else over names and digests. The tokenizer's files are
  /// among them once it has been read. Throws `interrupted`.
  public func contentDigest() throws -> (digest: String, bytes: Int) {
    let files = try self.files.files()
    let bytes = files.reduce(0) { $0 + $1.count }
    if files.count == 1 { return (files[0].digest, bytes) }
    // Names without their folder: a copy elsewhere is the same model.
    let lines = files.map { file in
      let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
      return "\(file.digest) \(name)\n"
    }
    return (SHA256.hex(lines.sorted().joined()), bytes)
  }
}
