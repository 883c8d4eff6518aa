import Foundation
import TritCore
import TritFormats

/// Turns what a person writes after `-m` into the path of a checkpoint.
public enum ModelLocation {
  /// Resolves a GGUF file, a checkpoint folder, `builtin:NAME`, or `hf:ORG/NAME[@revision]` (looked
  /// up read-only in the Hugging Face cache). Throws `missingInput` with what to do about it.
  public static func resolve(_ text: String) throws -> String {
    if text.hasPrefix("builtin:") { return try BuiltinModels.folder(String(text.dropFirst(8))) }
    if text.hasPrefix("hf:") { return try resolveHuggingFace(String(text.dropFirst(3))) }
    switch FileKind(at: text) {
    case .folder: return try resolve(folder: text)
    case .file: return text
    case .absent:
      throw LabError(
        .missingInput, "there is no such model file or folder", at: text,
        expected: "a .gguf file, a folder with config.json and safetensors, or hf:ORG/NAME",
        advice: "check the path")
    default: throw LabError.noFile(text, expected: "a .gguf file, or a folder with a model")
    }
  }

  private static func resolve(folder: String) throws -> String {
    // A link whose target is gone is there: the reader of the configuration says what is wrong.
    if FileKind(at: folder + "/config.json").isNamed { return folder }
    let listing = try FolderListing(folder)
    let files = listing.names.filter { $0.hasSuffix(".gguf") }
    let expected = "config.json with safetensors, or one .gguf file"
    if files.count == 1, ModelPart(fileName: files[0]) == nil { return folder + "/" + files[0] }
    if let part = files.compactMap({ ModelPart(fileName: $0) }).first,
      files.allSatisfy({ ModelPart(fileName: $0)?.stem == part.stem })
    {
      guard part.missing(among: files).isEmpty else {
        throw part.error(at: folder + "/" + part.name(part.number))
      }
      return folder + "/" + part.name(1)
    }
    guard files.isEmpty else {
      throw LabError(
        .missingInput, "the folder holds several GGUF files", at: folder, expected: expected,
        got: "\(files.prefix(8).joined(separator: ", "))\(files.count > 8 ? ", …" : "")",
        advice: "name one of them")
    }
    if let name = listing.unreadable.first(where: { $0.hasSuffix(".gguf") }) {
      throw LabError(
        .missingInput, "the folder holds a GGUF file whose name is not UTF-8", at: folder,
        expected: expected, got: name, advice: "rename the file")
    }
    let weights = listing.names.filter { $0.hasSuffix(".safetensors") }
    throw LabError(
      .missingInput,
      weights.isEmpty ? "the folder holds no model" : "the folder holds weights and no config.json",
      at: folder, expected: expected,
      got: weights.isEmpty
        ? (listing.names.isEmpty ? "an empty folder" : nil)
        : weights.prefix(4).joined(separator: ", "),
      advice: weights.isEmpty
        ? "check the path"
        : "copy the model's config.json and tokenizer.json there, or get the whole model: hf download "
          + "\(HuggingFaceCache.repository(of: folder) ?? "ORG/NAME")")
  }

  /// Whether `path` is a folder.
  public static func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  /// Source: huggingface.co/docs/hub/local-cache: `models--ORG--NAME/{refs/REV, snapshots/SHA/…}`.
  private static func resolveHuggingFace(_ text: String) throws -> String {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let revision = parts.count > 1 ? String(parts[1]) : "main"
    let components = name.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = { (word: Substring) in
      !word.isEmpty && word != "." && word != ".." && !word.contains("\\") && !word.contains("\0")
    }
    guard components.count == 2, components.allSatisfy(isPlain), !revision.contains("..") else {
      throw LabError(
        .usage, "cannot read the Hugging Face name", at: "hf:\(text)",
        expected: "hf:ORG/NAME or hf:ORG/NAME@REVISION", got: text)
    }
    let cache = cacheRoot()
    let root = cache + "/models--" + components.joined(separator: "--")
    let reference = WholeFile.text("\(root)/refs/\(revision)")
    let commit = reference?.trimmingCharacters(in: .whitespacesAndNewlines) ?? revision
    let snapshot = "\(root)/snapshots/\(commit)"
    guard isDirectory(snapshot) else {
      let suffix = revision == "main" ? "" : " --revision \(revision)"
      throw LabError(
        .missingInput, "the model is not in the Hugging Face cache", at: "hf:\(text)",
        expected: snapshot, advice: "download it with: hf download \(name)\(suffix)")
    }
    return try resolve(snapshot)
  }

  private static func cacheRoot() -> String {
    let environment = ProcessInfo.processInfo.environment
    if let cache = environment["HF_HUB_CACHE"], !cache.isEmpty { return cache }
    if let home = environment["HF_HOME"], !home.isEmpty { return home + "/hub" }
    let home = environment["HOME"] ?? NSHomeDirectory()
    return home + "/.cache/huggingface/hub"
  }
}
