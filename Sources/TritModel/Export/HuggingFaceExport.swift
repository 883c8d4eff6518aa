import Foundation
import TritCore
import TritFormats
import TritKernels

/// Writes a loaded checkpoint as a Hugging Face folder: `config.json`, `model.safetensors`, and the
/// tokenizer's files.
///
/// Of a Hugging Face checkpoint everything but the linear layers is copied as it is; a class that is
/// none of transformers gets the name of the one with the same block. A GGUF file of any family gets
/// names, configuration, tokenizer, chat template and end tokens of transformers; rows of q and k go
/// back to half-split rotary pairs. What a folder cannot say is refused by name. The folder is read
/// back, configuration and every tensor compared, and appears whole or not at all.
///
/// Packed layers run with int8 activations in transformers, whatever the family; a model that was
/// trained with float ones is written as floats.
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
    let files = HuggingFaceFiles(checkpoint, plan.form, writesTokenizer: writesTokenizer)
    let configuration = try plan.configuration(ends: try files.ends())
    try AtomicFile.write(
      JSONWriter.text(configuration, pretty: true) + "\n", to: staged + "/config.json")
    try SafetensorsWriter.write(
      plan.tensors, metadata: ["format": "pt"], to: staged + "/" + Safetensors.fileName)
    var notes = try files.write(to: staged)
    do {
      try plan.compare(at: staged, reading: reading)
    } catch var error as LabError where error.place?.contains(staged) == true {
      // The folder has another name for whoever reads the message.
      error.place = error.place?.replacing(staged, with: path)
      throw error
    }
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
}
