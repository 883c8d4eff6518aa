import Foundation
import TritAttention
import TritCore
public import TritFormats
import TritTokenization

/// Writes a loaded checkpoint as a GGUF file: what `convert_hf_to_gguf.py` and `llama-quantize` do
/// together.
///
/// The linear layers are written as the selection's quantizer makes them (by default what the model
/// says of itself), embedding and head as they are or narrower, norms in float32, and the tokenizer
/// inside. Bytes stream to the file one tensor at a time, and the file appears whole or not at all.
/// What the format cannot hold is an error; what it holds less exactly is in the notes of the
/// summary.
///
/// Source: tensor names, keys and type numbers of llama.cpp and of microsoft/BitNet.
public struct GGUFExport {
  /// What is exported.
  public let checkpoint: Checkpoint
  /// The type of the linear layers.
  public var linear: TensorType
  /// The type of the embedding; nil is the checkpoint's own where GGUF can hold it, else float16.
  public var embedding: TensorType?
  /// The type of an output head that is not the embedding; nil as for `embedding`.
  public var head: TensorType?
  /// `general.name`; nil is the name of the file or folder.
  public var name: String?
  /// Whether the tokenizer goes in.
  public var writesTokenizer = true
  /// Which weight quantizer the layers go through; the other stages of a selection have no place in
  /// GGUF.
  public var selection: StageSelection
  /// Where quantizers and packings are looked up.
  public var lab: Lab

  /// Types that linear layers can be written as.
  public static let linearTypes: [TensorType] = [
    .i2_s, .tq1_0, .tq2_0, .q2_0, .pq2_0, .ptq1_0, .q1_0, .tl1, .tl2, .f16, .bf16, .f32, .q8_0,
    .q4_0,
    .q6_k,
  ]
  /// Types that embedding and head can be written as; those of trits where all values are trits
  /// times a scale of their group.
  public static let denseTypes: [TensorType] =
    [.f16, .bf16, .f32, .q8_0, .q6_k, .q4_0, .q2_0, .pq2_0, .ptq1_0, .tq2_0, .tq1_0, .q1_0]

  /// An export of `checkpoint` with linear layers of type `linear`.
  public init(
    _ checkpoint: Checkpoint, linear: TensorType = .i2_s,
    selection: StageSelection = StageSelection(), lab: Lab = .stages
  ) {
    self.checkpoint = checkpoint
    self.linear = linear
    self.selection = selection
    self.lab = lab
  }

  /// What was written.
  public struct Summary: Sendable {
    /// The file.
    public var path: String
    /// `general.architecture`.
    public var architecture: String
    /// Tensors.
    public var tensors: Int
    /// Bytes of the linear layers, and how many weights they hold.
    public var linearBytes: Int, linearWeights: Int
    /// Bytes of all tensors.
    public var tensorBytes: Int
    /// What a reader of the file should know: what was rounded, what GGUF cannot say.
    public var notes: [String]
    /// Which programs read the file, in sentences.
    public var readers: [String]
  }

  /// Writes the file, reads it back and compares every tensor before it appears. `progress` is told
  /// the number of tensors written so far, and of all; `reading` the same of those compared.
  ///
  /// Throws usage errors for types and forms that do not fit each other, before anything is written
  /// where shapes tell; `badData` for weights, tokenizers and architectures that GGUF has no form
  /// for, and for values that a type does not hold within its bound; `cannotCreate` where the file
  /// cannot be written; `interrupted`.
  @discardableResult
  public func write(
    to path: String, progress: ((Int, Int) -> Void)? = nil, reading: ((Int, Int) -> Void)? = nil
  ) throws -> Summary {
    try checkTypes()
    let form = try GGUFForm(checkpoint)
    let plan = try GGUFTensorPlan(self, form: form, progress: progress)
    var writer = GGUFWriter()
    var notes = form.notes
    describe(&writer, form)
    var hasTokenizer = writesTokenizer
    if writesTokenizer {
      do {
        notes += try addTokenizer(to: &writer)
      } catch let error as LabError where error.kind == .missingInput {
        hasTokenizer = false
        notes.append("no tokenizer is inside: \(error.what)")
      }
    }
    if !hasTokenizer { describeEnds(&writer) }
    for tensor in plan.tensors { writer.add(tensor) }
    try writer.write(to: path) { staged in
      var check = try ExportCheck(plan, of: checkpoint, at: staged, lab: lab)
      do {
        try check.run(hasTokenizer: hasTokenizer, progress: reading)
      } catch let error as LabError where error.place?.contains(staged) == true {
        // The file has another name for whoever reads the message.
        var error = error
        error.place = error.place?.replacing(staged, with: path)
        throw error
      }
      notes += plan.notes() + check.notes
    }
    let bytes = plan.tensors.reduce(0) { $0 + $1.info.byteCount }
    return Summary(
      path: path, architecture: form.architecture, tensors: plan.tensors.count,
      linearBytes: plan.linearBytes, linearWeights: plan.linearWeights, tensorBytes: bytes,
      notes: notes, readers: Self.readers(form.architecture, linear))
  }

  /// Who reads a file of `architecture` with linear layers of `type`.
  ///
  /// Source: llama.cpp `src/llama-arch.cpp` and `ggml/include/ggml.h` (architectures; types 36 to
  /// 38 were given up, 39 is MXFP4), gguf-py `constants.py`; microsoft/BitNet's llama.cpp has
  /// bitnet-25, bitnet-b1.58 and types 36, 38, 39.
  package static func readers(_ architecture: String, _ type: TensorType) -> [String] {
    var readers: [String] = []
    if architecture.hasPrefix("bitnet-") {
      readers.append(
        "architecture \(architecture) is read by this program and bitnet.cpp; mainline llama.cpp has "
          + "only 'bitnet'")
    }
    switch type {
    case .i2_s, .tl1:
      let id = type == .i2_s ? 36 : 38
      readers.append(
        "type \(type.name) (\(id)) is read by this program and bitnet.cpp; mainline llama.cpp and "
          + "gguf-py know no type \(id): --type tq2_0 is one they read")
    case .tl2:
      readers.append(
        "type TL2 (39) is read by this program and bitnet.cpp; mainline llama.cpp and gguf-py take 39 "
          + "for MXFP4: --type tq2_0 is one they read")
    case .q1_0:
      readers.append("type Q1_0 (41) is read by this program and by llama.cpp since 2026")
    case .q2_0:
      readers.append(
        "type Q2_0 (42) is read by this program and by llama.cpp since 2026; older builds, bitnet.cpp and "
          + "PrismML's up to version 5 take 42 for something else")
    case .pq2_0, .ptq1_0:
      readers.append(
        "type \(type.name) (\(type == .pq2_0 ? 142 : 143)) is read by this program and PrismML's llama.cpp; "
          + "mainline has no such number: --type q2_0 is one it reads")
    default: break
    }
    return readers
  }

  private func checkTypes() throws {
    let parts: [(String, TensorType?, [TensorType])] = [
      ("linear layers", linear, Self.linearTypes), ("the embedding", embedding, Self.denseTypes),
      ("the output head", head, Self.denseTypes),
    ]
    for (what, type, legal) in parts {
      guard let type, !legal.contains(type) else { continue }
      throw LabError(
        .usage, "\(what) cannot be written as \(type.name)",
        expected: legal.map { $0.name.lowercased() }.joined(separator: ", "),
        got: type.name.lowercased())
    }
    if head != nil, checkpoint.tiesEmbeddings {
      throw LabError(
        .usage, "the model's output head is its embedding",
        expected: "a type of the embedding alone",
        got: "a type of the head")
    }
  }

  // MARK: Metadata

  private func describe(_ writer: inout GGUFWriter, _ form: GGUFForm) {
    let configuration = checkpoint.configuration
    let architecture = form.architecture
    func number(_ key: String, _ value: Int) {
      writer.set("\(architecture).\(key)", .uint32(UInt32(truncatingIfNeeded: value)))
    }
    writer.set("general.architecture", .string(architecture))
    writer.set("general.type", .string("model"))
    writer.set("general.name", .string(name ?? defaultName))
    number("vocab_size", configuration.vocabularySize)
    number("context_length", configuration.contextLength)
    number("embedding_length", configuration.hiddenSize)
    number("block_count", configuration.layers)
    number("feed_forward_length", configuration.feedForwardSize)
    number("rope.dimension_count", configuration.ropeDimension)
    number("attention.head_count", configuration.heads)
    number("attention.head_count_kv", configuration.keyValueHeads)
    number("attention.key_length", configuration.headDimension)
    number("attention.value_length", configuration.headDimension)
    writer.set(
      "\(architecture).attention.layer_norm_rms_epsilon", .float32(form.normEpsilon))
    writer.set("\(architecture).rope.freq_base", .float32(Float(configuration.ropeBase)))
    describeFamily(&writer, architecture)
    writer.set("general.file_type", .uint32(Self.fileType(linear)))
    writer.set("general.quantization_version", .uint32(2))
  }

  /// What a family has beside sizes: the keys that `ModelFamily.metadata` reads.
  private func describeFamily(_ writer: inout GGUFWriter, _ architecture: String) {
    let configuration = checkpoint.configuration
    func number(_ key: String, _ value: Double) {
      writer.set("\(architecture).\(key)", .float32(Float(value)))
    }
    func whole(_ key: String, _ value: Int) {
      writer.set("\(architecture).\(key)", .uint32(UInt32(truncatingIfNeeded: value)))
    }
    switch configuration.ropeScaling {
    case .none, .llama3: break
    case .longrope(_, _, let original, let attention):
      writer.set("\(architecture).rope.scaling.type", .string("longrope"))
      whole("rope.scaling.original_context_length", original)
      number("rope.scaling.attn_factor", attention)
    case .linear(let factor):
      writer.set("\(architecture).rope.scaling.type", .string("linear"))
      number("rope.scaling.factor", factor)
    case .yarn(let factor, let original, let fast, let slow, let attention, _):
      writer.set("\(architecture).rope.scaling.type", .string("yarn"))
      number("rope.scaling.factor", factor)
      whole("rope.scaling.original_context_length", original)
      number("rope.scaling.yarn_beta_fast", fast)
      number("rope.scaling.yarn_beta_slow", slow)
      if let attention {
        number("rope.scaling.attn_factor", attention / (1 + 0.1 * log(max(factor, 1))))
      }
    }
    switch architecture {
    case "minicpm", "granite":
      number("embedding_scale", Double(configuration.embeddingMultiplier))
      number("residual_scale", Double(configuration.residualMultiplier))
      number("logit_scale", 1 / Double(configuration.logitMultiplier))
      if architecture == "granite" {
        number("attention.scale", Double(configuration.attentionScale ?? 0))
        if !configuration.rotates {
          writer.set("granite.rope.scaling.finetuned", .bool(false))
        }
      }
    case "gemma3":
      if let cap = configuration.logitSoftCap { number("final_logit_softcapping", Double(cap)) }
      guard let window = configuration.window else { break }
      whole("attention.sliding_window", window)
      writer.set(
        "gemma3.attention.sliding_window_pattern",
        .array(.bool((0..<configuration.layers).map { configuration.isWindowed(layer: $0) })))
      number("rope.freq_base_swa", configuration.localRopeBase ?? configuration.ropeBase)
    case "gemma2":
      number("attn_logit_softcapping", Double(configuration.attentionSoftCap ?? 0))
      number("final_logit_softcapping", Double(configuration.logitSoftCap ?? 0))
      whole("attention.sliding_window", configuration.window ?? 0)
    default: break
    }
    switch configuration.pooling {
    case .mean?: whole("pooling_type", 1)
    case .last?: whole("pooling_type", 3)
    case nil: break
    }
  }

  /// The ids that begin and end texts belong to the model too: where the tokenizer stays outside,
  /// whose file may not know them, they are written alone, or generation would run past the end.
  private func describeEnds(_ writer: inout GGUFWriter) {
    let ids = [
      ("bos", checkpoint.configuration.bosToken), ("eos", checkpoint.configuration.eosTokens.first),
    ]
    for case (let name, let id?) in ids where writer["tokenizer.ggml.\(name)_token_id"] == nil {
      writer.set("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(truncatingIfNeeded: id)))
    }
  }

  private var defaultName: String {
    let last = checkpoint.path.split(separator: "/").last.map(String.init) ?? "model"
    return last.hasSuffix(".gguf") ? String(last.dropLast(5)) : last
  }

  /// `general.file_type`: `llama_ftype` of llama.cpp; 38…40 as bitnet.cpp's converters write them.
  static func fileType(_ type: TensorType) -> UInt32 {
    switch type {
    case .f16: 1
    case .q4_0: 2
    case .q8_0: 7
    case .q6_k: 18
    case .bf16: 32
    case .tq1_0: 36
    case .tq2_0: 37
    case .tl1: 38
    case .tl2: 39
    case .i2_s: 40
    // llama.cpp's own, and PrismML's of `llama-quantize`.
    case .q1_0: 40
    case .q2_0: 41
    case .pq2_0: 141
    case .ptq1_0: 143
    default: 0
    }
  }

  /// The keys `tokenizer.*`: those of a GGUF file as they are, else made from the tokenizer and
  /// compared; and the chat templates, the known wrong one of 2B-4T mended.
  private func addTokenizer(to writer: inout GGUFWriter) throws -> [String] {
    let format = try checkpoint.files.perform { try ChatFormat.find(checkpoint.path) }
    var notes: [String]
    if let file = checkpoint.source as? GGUFFile, checkpoint.outsideTokenizer == nil {
      for (key, value) in file.metadata
      where key.hasPrefix("tokenizer.") && !key.hasPrefix("tokenizer.chat_template") {
        writer.set(key, value)
      }
      notes = []
    } else {
      let tokenizer = try checkpoint.tokenizer()
      let export = try GGUFTokenizerExport(
        tokenizer, count: checkpoint.configuration.vocabularySize,
        ends: checkpoint.configuration.eosTokens)
      for (key, value) in export.metadata { writer.set(key, value) }
      notes = tokenizer.notes + export.notes
    }
    let sources = format?.sources ?? []
    for source in sources {
      writer.set(
        source.name == "default"
          ? "tokenizer.chat_template" : "tokenizer.chat_template.\(source.name)",
        .string(source.text))
    }
    let named = sources.map(\.name).filter { $0 != "default" }
    if !named.isEmpty { writer.set("tokenizer.chat_templates", .array(.string(named))) }
    return notes + (format?.notes ?? []).map { $0.replacing("note: ", with: "") }
  }
}
