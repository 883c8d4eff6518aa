import TritAttention
import TritCore
import TritModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The loss of a model in double precision, operation by operation of its plan, one number after
/// the other: what the trainer is held to. It shares the plan and the names of parameters with the
/// trainer, and no arithmetic.
struct PlanReference {
  private let shape: ModelShape
  private let infos: [ParameterPlace: ParameterInfo]
  /// Frequencies and length of the rotations: of all layers, and of windowed ones where they have
  /// one of their own.
  private let rotations: [(frequencies: [Float], length: Double)]
  /// Values of all parameters, in the order of the trainer's.
  var values: [Double]

  private var configuration: ModelConfiguration { shape.configuration }

  /// Takes the values of `parameters`, and those of `effective` for what is quantized.
  init(
    _ parameters: ParameterSet, effective: AlignedBuffer<Float>, length: Int
  ) throws {
    shape = parameters.shape
    var infos: [ParameterPlace: ParameterInfo] = [:]
    values = parameters.values.buffer.map { Double($0) }
    for info in parameters.list {
      infos[info.place] = info
      guard info.kind == .linear else { continue }
      for index in info.offset..<info.offset + info.count {
        values[index] = Double(effective.base[index])
      }
    }
    self.infos = infos
    let scaling = shape.configuration.ropeScaling
    rotations = try shape.configuration.rotaryEmbeddings(frequencyFactors: nil, positions: length)
      .enumerated().map { index, table in
        let length: Double =
          switch scaling {
          case .yarn(let factor, _, _, _, let own, _) where index == 0:
            own ?? 0.1 * log(max(factor, 1)) + 1
          case .longrope(_, _, _, let factor) where index == 0: factor
          default: 1
          }
        return (table.frequencies, length)
      }
  }

  /// The mean cross-entropy of one sequence, nats a token.
  func loss(_ tokens: ArraySlice<Int32>, targets: ArraySlice<Int32>) -> (sum: Double, count: Int) {
    let logits = logits(tokens)
    var (sum, count) = (0.0, 0)
    for (row, target) in zip(logits, targets) where target >= 0 {
      let top = row.max() ?? 0
      sum += log(row.reduce(0) { $0 + exp($1 - top) }) + top - row[Int(target)]
      count += 1
    }
    return (sum, count)
  }

  /// The logits of one sequence.
  func logits(_ tokens: ArraySlice<Int32>) -> [[Double]] {
    let hidden = shape.hidden
    let table = infos[.embedding]?.offset ?? 0
    var rows: [BlockBuffer: [[Double]]] = [:]
    rows[.stream] = tokens.map { token in
      (0..<hidden).map {
        Double(configuration.embeddingMultiplier) * values[table + Int(token) * hidden + $0]
      }
    }
    for layer in 0..<shape.layers {
      for operation in shape.plan.block.operations { run(operation, layer, &rows) }
    }
    let head = infos[.head]?.offset ?? table
    return (rows[.stream] ?? []).map { row in
      let x = normed(row[...], .finalNorm, configuration.normEpsilon)
      return (0..<shape.vocabulary).map { token in
        var logit = 0.0
        for index in 0..<hidden { logit += values[head + token * hidden + index] * x[index] }
        logit *= Double(configuration.logitMultiplier)
        return configuration.logitSoftCap.map { Double($0) * tanh(logit / Double($0)) } ?? logit
      }
    }
  }

  // MARK: Operations

  private func run(
    _ operation: BlockOperation, _ layer: Int, _ rows: inout [BlockBuffer: [[Double]]]
  ) {
    let epsilon = configuration.normEpsilon
    switch operation {
    case .norm(let role, let input, let output):
      rows[output] = rows[input]?.map { normed($0[...], .norm(role, layer: layer), epsilon) }
    case .headNorm(let role, let buffer):
      let d = configuration.headDimension
      rows[buffer] = rows[buffer]?.map { row in
        stride(from: 0, to: row.count, by: d).flatMap {
          normed(row[$0..<$0 + d], .norm(role, layer: layer), epsilon)
        }
      }
    case .project(let roles, let input):
      for role in roles {
        rows[role.output] = rows[input]?.map { linear($0, role, layer) }
      }
    case .bias(let role):
      let offset = infos[.bias(role, layer: layer)]?.offset ?? 0
      rows[role.output] = rows[role.output]?.map { row in
        row.indices.map { row[$0] + values[offset + $0] }
      }
    case .rotate(let buffer):
      rows[buffer] = rows[buffer]?.enumerated().map { turned($1, at: $0, layer) }
    case .store: break
    case .attend(let cap): rows[.attended] = attended(rows, layer, cap.map { Double($0) })
    case .gate:
      rows[.gate] = zip(rows[.gate] ?? [], rows[.up] ?? []).map { gate, up in
        zip(gate, up).map { activated($0) * $1 }
      }
    case .add(let multiplier):
      rows[.stream] = zip(rows[.stream] ?? [], rows[.projected] ?? []).map { stream, added in
        zip(stream, added).map { $0 + Double(multiplier) * $1 }
      }
    }
  }

  private func normed(
    _ x: ArraySlice<Double>, _ place: ParameterPlace, _ epsilon: Float
  ) -> [Double] {
    guard let info = infos[place] else { return Array(x) }
    let mean = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
    let inverse = 1 / (mean + Double(epsilon)).squareRoot()
    return x.enumerated().map {
      $1 * inverse * (values[info.offset + $0] + Double(info.gainOffset))
    }
  }

  private func linear(_ row: [Double], _ role: LinearRole, _ layer: Int) -> [Double] {
    guard let info = infos[.linear(role, layer: layer)] else { return row }
    let place = ParameterPlace.innerNorm(role, layer: layer)
    let x =
      infos[place] == nil
      ? row : normed(row[...], place, configuration.quantization?.innerNormEpsilon ?? 0)
    return (0..<info.rows).map { output in
      var sum = 0.0
      let start = info.offset + output * info.columns
      for index in 0..<info.columns { sum += values[start + index] * x[index] }
      return sum
    }
  }

  private func turned(_ row: [Double], at position: Int, _ layer: Int) -> [Double] {
    let isLocal = configuration.hasLocalRotation(layer: layer) && rotations.count > 1
    let rotation = rotations[isLocal ? 1 : 0]
    let pairs = rotation.frequencies.count
    var result = row
    for start in stride(from: 0, to: row.count, by: configuration.headDimension) {
      for pair in 0..<pairs {
        let (first, second) =
          configuration.ropePairing == .halfSplit
          ? (start + pair, start + pair + pairs) : (start + 2 * pair, start + 2 * pair + 1)
        // Angles are float32 by definition (`RotaryEmbedding`).
        let angle = Double(Float(position) * rotation.frequencies[pair])
        let (c, s) = (cos(angle) * rotation.length, sin(angle) * rotation.length)
        result[first] = row[first] * c - row[second] * s
        result[second] = row[second] * c + row[first] * s
      }
    }
    return result
  }

  private func attended(_ rows: [BlockBuffer: [[Double]]], _ layer: Int, _ cap: Double?)
    -> [[Double]]
  {
    guard let queries = rows[.query], let keys = rows[.key], let all = rows[.value] else {
      return []
    }
    let d = configuration.headDimension
    let group = configuration.heads / configuration.keyValueHeads
    let scale = configuration.attentionScale.map { Double($0) } ?? 1 / Double(d).squareRoot()
    let window = configuration.isWindowed(layer: layer) ? configuration.window ?? .max : .max
    return queries.enumerated().map { position, query in
      let first = max(0, position - min(window, position + 1) + 1)
      return (0..<configuration.heads).flatMap { head -> [Double] in
        let (own, shared) = (head * d, head / group * d)
        let scores = (first...position).map { other in
          var sum = 0.0
          for index in 0..<d { sum += query[own + index] * keys[other][shared + index] }
          return cap.map { $0 * tanh(sum * scale / $0) } ?? sum * scale
        }
        let top = scores.max() ?? 0
        let weights = scores.map { exp($0 - top) }
        let total = weights.reduce(0, +)
        return (0..<d).map { index in
          var sum = 0.0
          for (place, weight) in weights.enumerated() {
            sum += weight * all[first + place][shared + index]
          }
          return sum / total
        }
      }
    }
  }

  private func activated(_ x: Double) -> Double {
    switch configuration.activation {
    case .silu: x / (1 + exp(-x))
    case .relu2: x > 0 ? x * x : 0
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    }
  }
}
