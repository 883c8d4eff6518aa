import Foundation
import TritCore
import TritFormats
import TritKernels

/// Writes a loaded checkpoint as a Hugging Face folder: `config.json`, `model.safetensors`, and the
/// tokenizer's files.
///
/// Of a Hugging Face checkpoint everything but the linear layers is copied as it is. A GGUF file of
/// the Llama and BitNet families gets the names and the configuration of transformers; rows of q
/// and k go back to half-split rotary pairs. The folder is read back, every tensor compared, and
/// appears whole or not at all.
///
/// Source: transformers, `integrations/bitnet.py` (`pack_weights`, `AutoBitLinear`).
public struct HuggingFaceExport {
  /// What the linear layers become.
  public enum Form: String, Sendable, CaseIterable {
    /// Four trits a byte and a `weight_scale` that multiplies: `quantization_mode: offline`.
    case packed = "hf-packed"
    /// 16-bit floats: masters of a model that ternarises them itself, or a dense model's weights.
    case bfloat16 = "hf-bf16"
  }

  /// What is exported.
  public let checkpoint: Checkpoint
  /// What the linear layers become.
  public let form: Form
  /// Whether the tokenizer's files are copied.
  public var writesTokenizer = true
  /// Which weight quantizer the layers go through.
  public var selection: StageSelection
  /// Where quantizers are looked up.
  public var lab: Lab

  /// An export of `checkpoint`.
  public init(
    _ checkpoint: Checkpoint, form: Form, selection: StageSelection = StageSelection(),
    lab: Lab = .stages
  ) {
    self.checkpoint = checkpoint
    self.form = form
    self.selection = selection
    self.lab = lab
  }

  /// Writes the folder `path`, which must not exist, reads it back and compares every tensor before
  /// it appears. Throws usage errors for weights that the form does not hold, `badData` for models
  /// that the format has no place for, `cannotCreate` where the folder cannot be written.
  @discardableResult
  public func write(
    to path: String, progress: ((Int, Int) -> Void)? = nil, reading: ((Int, Int) -> Void)? = nil
  ) throws -> GGUFExport.Summary {
    guard FileKind(at: path) == .absent else {
      throw LabError(
        .cannotCreate, "there is something under that name", at: path,
        expected: "the name of a folder that does not exist",
        advice: "remove it, or name another folder")
    }
    let plan = try HuggingFacePlan(self, progress: progress)
    let staged = "\(path).partial-\(UInt32.random(in: 0...UInt32.max))"
    do {
      try FileManager.default.createDirectory(
        atPath: staged, withIntermediateDirectories: false)
    } catch {
      throw LabError(
        .cannotCreate, "the folder cannot be made", at: path, got: error.localizedDescription,
        advice: "check that the folder above it exists and can be written")
    }
    defer { try? FileManager.default.removeItem(atPath: staged) }
    let configuration = try plan.configuration()
    try AtomicFile.write(
      Array((JSONWriter.text(configuration) + "\n").utf8), to: staged + "/config.json")
    try SafetensorsWriter.write(
      plan.tensors, metadata: ["format": "pt"], to: staged + "/" + Safetensors.fileName)
    var notes = try writesTokenizer ? copyTokenizer(to: staged) : []
    try plan.compare(at: staged, reading: reading)
    notes += plan.notes
    do {
      try FileManager.default.moveItem(atPath: staged, toPath: path)
    } catch {
      throw LabError(
        .cannotCreate, "the folder cannot get its name", at: path,
        got: error.localizedDescription)
    }
    return GGUFExport.Summary(
      path: path, architecture: plan.architecture, tensors: plan.tensors.count,
      linearBytes: plan.linearBytes, linearWeights: plan.linearWeights,
      tensorBytes: plan.tensors.reduce(0) { $0 + $1.info.byteCount }, notes: notes, readers: [])
  }

  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "generation_config.json", "chat_template.jinja", "added_tokens.json", "vocab.json",
    "merges.txt",
  ]

  /// Copies the tokenizer's files; what to tell where there are none.
  private func copyTokenizer(to folder: String) throws -> [String] {
    var source = checkpoint.tokenizerPath ?? checkpoint.path
    var names = Self.tokenizerFiles
    if FileKind(at: source) != .folder {
      let name = source.split(separator: "/").last.map(String.init) ?? source
      source = source.lastIndex(of: "/").map { String(source[..<$0]) } ?? "."
      if checkpoint.tokenizerPath != nil, names.contains(name) { names = [name] }
    }
    var copied = 0
    for name in names where FileKind(at: "\(source)/\(name)").isNamed {
      let file = try MappedFile("\(source)/\(name)")
      try AtomicFile.write(
        file.span.withUnsafeBytes { Array($0) }, to: "\(folder)/\(name)")
      if name.hasPrefix("tokenizer.") { copied += 1 }
    }
    return copied > 0
      ? []
      : [
        "no tokenizer is in the folder: there is no tokenizer.json or tokenizer.model beside the model; name "
          + "one with --tokenizer"
      ]
  }
}
