import TritAttention
import TritCore
import TritFormats

/// How a checkpoint looks in GGUF: the architecture whose graph computes the same, what becomes of
/// its norms, and whether rows of q and k change places.
///
/// | architecture | activation | sub-norms | rotary pairs |
/// |---|---|---|---|
/// | `bitnet` | SiLU | yes | half split |
/// | `bitnet-25`, `bitnet-b1.58` | ReLU² | yes | half split |
/// | `llama` | SiLU | no | neighbours: the converter permutes q and k |
///
/// Every other family has an architecture of its own (`ModelFamily.gguf`), which says all of this;
/// its norms inside linears stand beside the others (`attn_q_norm_in`).
struct GGUFForm {
  /// `general.architecture`.
  let architecture: String
  /// Whether the architecture means ternary weights, whatever type they have.
  var isBitNet: Bool { architecture.hasPrefix("bitnet") }
  /// Whether rows of q and k are permuted from half-split to neighbouring pairs.
  let permutesRotary: Bool
  /// Whether the norms inside the linears stand for the block norms and sub-norms.
  let foldsInnerNorms: Bool
  /// The one epsilon of the file.
  let normEpsilon: Float
  /// What a reader of the file should know.
  let notes: [String]

  /// Decides for `checkpoint`. Throws `badData` where no architecture computes what the model does.
  init(_ checkpoint: Checkpoint) throws {
    let configuration = checkpoint.configuration
    let inner = configuration.quantization?.innerNormEpsilon
    let family = ModelFamily.of(configuration)
    let isOwn = family?.quantizesActivations == false
    foldsInnerNorms = inner != nil && !isOwn
    normEpsilon = inner ?? configuration.normEpsilon
    let hasSubNorms = checkpoint.hasSubNorms
    var notes: [String] = []
    if configuration.rotation != nil {
      throw Self.nothing("says what the rotation of these weights is in another file", checkpoint)
    }
    if isOwn, let name = try Self.architecture(of: checkpoint, family) {
      architecture = name
    } else if ModelFamily.ggufArchitectures.contains(configuration.architecture) {
      architecture = configuration.architecture
    } else if hasSubNorms || foldsInnerNorms {
      architecture = configuration.activation == .relu2 ? "bitnet-b1.58" : "bitnet"
    } else if configuration.activation == .silu {
      architecture = "llama"
    } else if configuration.activation == .relu2 {
      architecture = "bitnet-b1.58"
      notes.append(
        "a Llama with squared ReLU has no name in GGUF: written as bitnet-b1.58 without sub-norms, "
          + "which other programs than this one will not read")
    } else {
      throw Self.nothing("means \(configuration.activation.rawValue) in a Llama block", checkpoint)
    }
    if case .longrope = configuration.ropeScaling {
      guard ["llama", "minicpm", "granite"].contains(architecture) else {
        throw Self.nothing("has the two lists of longrope beside such a block", checkpoint)
      }
      notes.append(
        "longrope: transformers takes the long factors for texts above the first context, readers of GGUF "
          + "for contexts above it, however short the text")
    }
    let pairing = ModelFamily.all.first { [architecture] in $0.gguf.contains(architecture) }?
      .ggufPairing
    permutesRotary = pairing == .adjacent && configuration.ropePairing == .halfSplit
    if foldsInnerNorms {
      guard !hasSubNorms else { throw Self.noPlace("beside sub-norms", checkpoint) }
      try Self.checkFolding(checkpoint)
      notes.append(
        "the norms inside the linears are written as block norms and sub-norms, and the gains of 1 "
          + "before them left out: the same up to the epsilons (\(configuration.normEpsilon) and "
          + "\(normEpsilon))")
    }
    if permutesRotary {
      notes.append(
        "rows of q and k are permuted for neighbouring rotary pairs, as architecture \(architecture) wants: "
          + "attention adds the same products in another order")
    }
    self.notes = notes
  }

  /// The architecture of a family that is neither Llama nor BitNet, of those whose graph computes
  /// the same; nil where it is that of Llama.
  private static func architecture(of checkpoint: Checkpoint, _ family: ModelFamily?) throws
    -> String?
  {
    let configuration = checkpoint.configuration
    if configuration.quantization?.innerNormEpsilon != nil,
      configuration.quantization?.innerNormEpsilon != configuration.normEpsilon
    {
      throw nothing("has two epsilons", checkpoint)
    }
    let isGemma = configuration.hasPostNorms
    let scale = configuration.attentionScale ?? 0
    // The largest of each family is known by its layers (`ModelFamily.gemma3`, `.gemma2`).
    let width =
      configuration.layers == (family?.name == ModelFamily.gemma2.name ? 46 : 62)
      ? configuration.hiddenSize / configuration.heads : configuration.headDimension
    let usual = 1 / Float(width).squareRoot()
    if isGemma, abs(scale - usual) > 1e-6 * usual {
      throw nothing("means another scale of scores than 1 / √\(width)", checkpoint)
    }
    guard
      configuration.window == nil || isGemma
        || (configuration.window ?? 0) >= configuration.contextLength
    else {
      throw nothing("has the windows of this model", checkpoint)
    }
    if family?.gguf.first == "gemma2", configuration.window != nil,
      (0..<configuration.layers).contains(where: {
        configuration.isWindowed(layer: $0) != $0.isMultiple(of: 2)
      })
    {
      throw nothing("has other windows than those of every other layer", checkpoint)
    }
    if family?.gguf.isEmpty == true { return nil }
    return family?.gguf.first
  }

  private static func nothing(_ what: String, _ checkpoint: Checkpoint) -> LabError {
    LabError(
      .badData, "no architecture of GGUF \(what)", at: checkpoint.path,
      expected: "a model that a reader of GGUF computes",
      got: checkpoint.configuration.architecture,
      advice: "keep the model in the format that it has")
  }

  /// A norm before a norm changes nothing if its gains are 1, and one norm for several linears
  /// needs that they have the same.
  private static func checkFolding(_ checkpoint: Checkpoint) throws {
    for layer in 0..<checkpoint.configuration.layers {
      for role in [NormRole.attention, .feedForward] {
        let gains = try checkpoint.norm(role, layer: layer) ?? []
        guard gains.allSatisfy({ $0 == 1 }) else {
          throw noPlace("behind block norms whose gains are not 1", checkpoint)
        }
      }
      for group in [[LinearRole.query, .key, .value], [.gate, .up]] {
        let gains = try group.map { try checkpoint.innerNorm($0, layer: layer) }
        guard gains.allSatisfy({ $0 == gains[0] }) else {
          throw noPlace("that differ between linears of one input", checkpoint)
        }
      }
    }
  }

  private static func noPlace(_ what: String, _ checkpoint: Checkpoint) -> LabError {
    LabError(
      .badData, "GGUF has no place for norms inside linears \(what)", at: checkpoint.path,
      expected: "block norms and sub-norms alone", advice: "keep the checkpoint as safetensors")
  }

  /// Where row `row` of the written q or k comes from: `2i` and `2i + 1` of a head are its rows `i`
  /// and `i + d/2` (llama.cpp, `convert_hf_to_gguf.py`, `LlamaModel.permute`).
  static func sourceRow(_ row: Int, headDimension: Int) -> Int {
    let (head, offset) = row.quotientAndRemainder(dividingBy: headDimension)
    return head * headDimension + offset / 2 + (offset % 2) * (headDimension / 2)
  }
}

extension GGUFForm {
  /// Where row `row` in half-split pairs stands in the file: the inverse of `sourceRow`.
  static func permutedRow(_ row: Int, headDimension: Int) -> Int {
    let (head, offset) = row.quotientAndRemainder(dividingBy: headDimension)
    let half = headDimension / 2
    return head * headDimension + (offset < half ? 2 * offset : 2 * (offset - half) + 1)
  }

  /// The inverse of `permuted`: rows of q or k in half-split pairs.
  static func unpermuted(_ weights: QuantizedWeights, headDimension: Int) -> QuantizedWeights {
    reordered(weights) { permutedRow($0, headDimension: headDimension) }
  }

  /// `weights` with the rows of q or k in the order of the file.
  static func permuted(_ weights: QuantizedWeights, headDimension: Int) -> QuantizedWeights {
    reordered(weights) { sourceRow($0, headDimension: headDimension) }
  }

  /// `weights` whose row r was row `from(r)`, scales included.
  static func reordered(_ weights: QuantizedWeights, _ from: (Int) -> Int) -> QuantizedWeights {
    func rows<Element: BitwiseCopyable>(
      _ source: AlignedBuffer<Element>, _ rows: Int, _ columns: Int
    ) -> AlignedBuffer<Element> {
      let result = AlignedBuffer<Element>(count: rows * columns)
      for row in 0..<rows {
        (result.base + row * columns)
          .update(from: source.base + from(row) * columns, count: columns)
      }
      return result
    }
    func scales(_ scales: [Float], _ granularity: ScaleGranularity, _ rows: Int, _ columns: Int)
      -> [Float]
    {
      guard granularity != .tensor else { return scales }
      let width = granularity.groups(columns: columns)
      return (0..<rows).flatMap { row in
        let first = from(row) * width
        return scales[first..<(first + width)]
      }
    }
    switch weights {
    case .ternary(let m):
      return .ternary(
        TernaryMatrix(
          rows: m.rows, columns: m.columns, trits: rows(m.trits, m.rows, m.columns),
          scales: scales(m.scales, m.granularity, m.rows, m.columns), granularity: m.granularity))
    case .integer(let m):
      return .integer(
        IntegerMatrix(
          rows: m.rows, columns: m.columns, bits: m.bits,
          values: rows(m.values, m.rows, m.columns),
          scales: scales(m.scales, m.granularity, m.rows, m.columns), granularity: m.granularity))
    case .dense(let m):
      return .dense(
        Matrix(storage: rows(m.storage, m.rows, m.columns), rows: m.rows, columns: m.columns))
    }
  }
}
