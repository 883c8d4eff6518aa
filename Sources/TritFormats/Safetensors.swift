import TritCore

/// The weights of a Hugging Face checkpoint folder.
public enum Safetensors {
  /// Name of the index of a sharded checkpoint.
  public static let indexName = "model.safetensors.index.json"
  /// Name of the single file of a small checkpoint.
  public static let fileName = "model.safetensors"

  /// Opens the weights in `directory`: the index if there is one, else the single file. Throws
  /// `missingInput` when there is neither.
  public static func open(directory: String) throws -> any TensorSource {
    let folder = directory.hasSuffix("/") ? directory : directory + "/"
    // A link whose target is gone is there: its reader says what is wrong.
    if FileKind(at: folder + indexName).isNamed {
      return try ShardedSafetensors(path: folder + indexName)
    }
    if FileKind(at: folder + fileName).isNamed {
      return try SafetensorsFile(path: folder + fileName)
    }
    throw noWeights(directory)
  }

  /// Why there are no weights in a folder, by what lies there instead.
  private static func noWeights(_ directory: String) -> LabError {
    let expected =
      "a checkpoint folder: config.json, \(fileName) or \(indexName) with its files, and "
      + "tokenizer.json or tokenizer.model"
    let repository = HuggingFaceCache.repository(of: directory) ?? "ORG/NAME"
    let place = HuggingFaceCache.repository(of: directory) == nil ? " --local-dir \(directory)" : ""
    func error(_ what: String, got: String? = nil, advice: String) -> LabError {
      LabError(.missingInput, what, at: directory, expected: expected, got: got, advice: advice)
    }
    let get = "get one with: hf download \(repository)\(place)"
    switch FileKind(at: directory) {
    case .folder: break
    case .absent: return error("there is no such folder", advice: get)
    case let kind: return error("this is no folder", got: kind.words, advice: get)
    }
    let names = (try? FolderListing(directory).names) ?? []
    let parts = names.filter { $0.hasSuffix(".safetensors") }.compactMap { ModelPart(fileName: $0) }
    if let first = parts.first {
      let missing = first.missing(among: names)
      return error(
        "the folder holds shards of a model and no index that says what is where",
        got: "\(parts.count) of \(first.count) shards"
          + (missing.isEmpty ? "" : "; \(list(missing)) missing too"),
        advice: "get the index" + (missing.isEmpty ? "" : " and the rest")
          + " with: hf download \(repository) "
          + ([indexName] + missing.prefix(3)).joined(separator: " ")
          + (missing.count > 3 ? " …" : "") + place)
    }
    let others = names.filter { $0.hasSuffix(".safetensors") }
    if !others.isEmpty {
      return error(
        "the folder holds no \(fileName)", got: list(others),
        advice: others.count == 1
          ? "rename \(others[0]) to \(fileName) if it holds the whole model" : get)
    }
    let pickles = names.filter {
      $0.hasSuffix(".bin") || $0.hasSuffix(".pt") || $0.hasSuffix(".pth")
    }
    if !pickles.isEmpty {
      return error(
        "the folder holds PyTorch weights alone, which are not read: pickles can run code",
        got: list(pickles),
        advice:
          "get the model as safetensors: hf download \(repository) --include '*.safetensors' --include "
          + "'*.json'\(place); or save it anew as such in Python, with transformers' save_pretrained"
      )
    }
    let unfinished = names.filter { $0.hasSuffix(".incomplete") || $0.hasSuffix(".part") }
    if !unfinished.isEmpty {
      return error(
        "the folder holds a download that was not finished", got: list(unfinished), advice: get)
    }
    return error("the folder holds no safetensors weights", advice: get)
  }

  /// The first names of a list.
  static func list(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ")
      + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }
}
