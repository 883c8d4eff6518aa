import Foundation
import TritCore

/// Turns what a person writes after `-m` into the path of a checkpoint.
public enum ModelLocation {
  /// Resolves a GGUF file, a checkpoint folder, `builtin:NAME`, or `hf:ORG/NAME[@revision]` (looked up
  /// read-only in the Hugging Face cache). Throws `missingInput` with what to do about it.
  public static func resolve(_ text: String) throws -> String {
    if text.hasPrefix("builtin:") { return try BuiltinModels.folder(String(text.dropFirst(8))) }
    if text.hasPrefix("hf:") { return try resolveHuggingFace(String(text.dropFirst(3))) }
    guard FileManager.default.fileExists(atPath: text) else {
      throw LabError(
        .missingInput, "there is no such model file or folder", at: text,
        expected: "a .gguf file, a folder with config.json and safetensors, or hf:ORG/NAME",
        advice: "check the path")
    }
    guard isDirectory(text) else { return text }
    if FileManager.default.fileExists(atPath: text + "/config.json") { return text }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: text) else {
      throw LabError(
        .missingInput, "cannot read the folder", at: text, advice: "check its permissions")
    }
    let files = names.filter { $0.hasSuffix(".gguf") }.sorted()
    guard files.count == 1 else {
      throw LabError(
        .missingInput,
        files.isEmpty
          ? "the folder holds no model" : "the folder holds several GGUF files", at: text,
        expected: "config.json with safetensors, or one .gguf file",
        got: files.isEmpty ? nil : files.joined(separator: ", "),
        advice: files.isEmpty ? "check the path" : "name one of them")
    }
    return text + "/" + files[0]
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
    let reference = try? String(contentsOfFile: "\(root)/refs/\(revision)", encoding: .utf8)
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
