import TritCore
import TritModel

/// The block of one layer as the trainer computes it, from the plan that the engine runs too.
///
/// Every operation writes a matrix that is kept for its backward pass, or one of its worker where
/// no backward pass needs it. What is read once has one gradient; the stream's goes around each
/// half. A projection that alone is added to the stream is added by its matrix product.
struct LayerProgram: Sendable {
  /// In the order of the forward pass.
  private(set) var steps: [TrainingStep] = []
  /// Columns of what the layer keeps.
  private(set) var kept: [Int] = []
  /// Columns of the gradients that all tokens need at one time.
  private(set) var shared: [Int] = []
  /// Widths of the gradients of gains and biases, which are summed by sequence, and the parameters
  /// that they are of.
  private(set) var partials: [(width: Int, parameter: Int)] = []
  /// Sums that the layer makes: its stream has one version more.
  private(set) var sums = 0

  /// What a buffer of the plan holds at the moment.
  private struct Value {
    var place: Place
    var gradient: Place
    /// Whether whoever made it needs it later as it is.
    var isNeeded = false
  }

  private let plan: ModelPlan
  private let layer: Int
  private let offsets: ParameterSet.LayerOffsets
  private let quantizes: (weights: Bool, activations: Bool)
  private var values: [BlockBuffer: Value] = [:]

  private var configuration: ModelConfiguration { plan.configuration }

  /// Throws `badData` for a block whose operations do not follow each other as the trainer can
  /// differentiate them. `rotary` is that of the layer.
  init(
    _ shape: ModelShape, layer: Int, _ offsets: ParameterSet.LayerOffsets,
    quantizes: (weights: Bool, activations: Bool), rotary: RotaryTable
  ) throws {
    plan = shape.plan
    self.layer = layer
    self.offsets = offsets
    self.quantizes = quantizes
    for (index, operation) in plan.block.operations.enumerated() {
      switch operation {
      case .norm(let role, let input, let output): try norm(role, input, output)
      case .headNorm(let role, let buffer): try headNorm(role, buffer)
      case .project(let roles, let input): try project(roles, input, at: index)
      case .bias(let role): try bias(role)
      case .rotate(let buffer):
        let value = try held(buffer)
        steps.append(
          .rotate(RotateStep(rotary: rotary, values: value.place, gradient: value.gradient)))
      case .store: break
      case .attend(let cap): try attend(cap)
      case .gate: try gate()
      case .add(let multiplier): try add(multiplier)
      }
    }
  }

  // MARK: Places

  private func stream(_ version: Int) -> Place {
    Place(.stream(version), columns: configuration.hiddenSize)
  }

  private mutating func keep(_ columns: Int) -> Place {
    kept.append(columns)
    return Place(.kept(kept.count - 1), columns: columns)
  }

  private mutating func share(_ columns: Int) -> Place {
    shared.append(columns)
    return Place(.shared(shared.count - 1), columns: columns)
  }

  private mutating func partial(_ width: Int, of parameter: Int) -> Int {
    partials.append((width, parameter))
    return partials.count - 1
  }

  private func held(_ buffer: BlockBuffer) throws -> Value {
    guard let value = values[buffer] else {
      throw LabError(
        .badData,
        "this block cannot be trained: layer \(layer) reads '\(buffer.rawValue)' twice, "
          + "or before it is written", at: configuration.architecture,
        expected: "operations that each read what one other wrote",
        advice: "run the model with the engine, which computes it")
    }
    return value
  }

  /// What an operation reads; nobody else does.
  private mutating func take(_ buffer: BlockBuffer) throws -> Value {
    let value = try held(buffer)
    values[buffer] = nil
    return value
  }

  private func gain(_ offset: Int?, shifts: Bool) -> Gain {
    Gain(offset: offset ?? 0, isShifted: shifts && configuration.normOffset != 0)
  }

  // MARK: Operations

  private mutating func norm(
    _ role: NormRole, _ input: BlockBuffer, _ output: BlockBuffer
  ) throws {
    let isStream = input == .stream
    let value =
      try isStream ? Value(place: stream(sums), gradient: stream(sums)) : take(input)
    let columns = value.place.columns
    let scratch = Place(.scratch(0), columns: columns)
    // Behind a half the normed rows are added and forgotten.
    let isLast = output == .projected
    let place = isLast ? scratch : keep(columns)
    let gradient = isLast && multiplier == 1 ? stream(sums + 1) : scratch
    let offset = offsets.norms[role]
    steps.append(
      .norm(
        NormStep(
          gain: gain(offset, shifts: true), input: value.place, output: place, dOutput: gradient,
          dInput: value.gradient, around: isStream ? stream(sums + 1) : nil,
          partial: partial(columns, of: offset ?? 0))))
    values[output] = Value(place: place, gradient: gradient)
  }

  private mutating func headNorm(_ role: NormRole, _ buffer: BlockBuffer) throws {
    let value = try held(buffer)
    let offset = offsets.norms[role]
    let dimension = configuration.width(of: role)
    steps.append(
      .headNorm(
        HeadNormStep(
          gain: gain(offset, shifts: true), dimension: dimension, values: value.place,
          kept: keep(value.place.columns), gradient: value.gradient,
          partial: partial(dimension, of: offset ?? 0))))
  }

  /// What is multiplied with a half's output; the same for all halves of a plan.
  private var multiplier: Float { configuration.residualMultiplier }

  private mutating func project(
    _ roles: [LinearRole], _ input: BlockBuffer, at index: Int
  ) throws {
    let value = try take(input)
    let rows = roles.map { $0.shape(configuration).rows }
    let total = rows.reduce(0, +)
    let isLast = roles.contains { $0.output == .projected }
    let rest = plan.block.operations[(index + 1)...].prefix {
      if case .project = $0 { return false }
      return true
    }
    let isNormed = rest.contains {
      if case .norm(_, .projected, _) = $0 { return true }
      return false
    }
    let isBiased = !plan.block.biases.isDisjoint(with: roles)
    let isFused = isLast && !isNormed && !isBiased && multiplier == 1
    let output: Place
    let gradient: Place
    if isLast {
      output =
        isFused
        ? stream(sums + 1) : isNormed ? keep(total) : Place(.scratch(0), columns: total)
      gradient = !isNormed && multiplier == 1 ? stream(sums + 1) : share(total)
    } else {
      (output, gradient) = (keep(total), share(total))
    }
    let branches = branches(roles, rows, value, output, gradient)
    steps.append(
      .project(
        ProjectStep(
          input: value.place, dInput: value.gradient, branches: branches,
          stream: isFused ? sums : nil)))
    var first = 0
    for (role, count) in zip(roles, rows) {
      values[role.output] = Value(
        place: output.part(first, count), gradient: gradient.part(first, count))
      first += count
    }
    if isFused {
      sums += 1
      values[.projected] = nil
    }
  }

  /// Layers that read the same form of the input, and lie behind each other, are one product.
  private mutating func branches(
    _ roles: [LinearRole], _ rows: [Int], _ value: Value, _ output: Place, _ gradient: Place
  ) -> [ProjectStep.Branch] {
    var groups: [(roles: [LinearRole], first: Int, rows: Int, isDense: Bool)] = []
    var first = 0
    for (role, count) in zip(roles, rows) {
      let isDense = configuration.isUnconverted(role, layer: layer)
      let hasNorm = offsets.innerNorms[role] != nil
      if let last = groups.last, last.isDense == isDense, !hasNorm,
        offsets.innerNorms[last.roles[0]] == nil
      {
        groups[groups.count - 1].roles.append(role)
        groups[groups.count - 1].rows += count
      } else {
        groups.append(([role], first, count, isDense))
      }
      first += count
    }
    let columns = value.place.columns
    return groups.map { group in
      let norm = offsets.innerNorms[group.roles[0]]
      let quantizesInput = quantizes.activations && !group.isDense
      let isOwn = norm != nil || (quantizesInput && (groups.count > 1 || value.isNeeded))
      return ProjectStep.Branch(
        weights: offsets.linears[group.roles[0]] ?? 0, rows: group.rows, columns: columns,
        isQuantized: quantizes.weights && !group.isDense,
        norm: norm.map { gain($0, shifts: false) },
        partial: norm.map { partial(columns, of: $0) } ?? 0,
        input: isOwn ? keep(columns) : value.place, copies: isOwn && norm == nil,
        quantizes: quantizesInput, output: output.part(group.first, group.rows),
        gradient: gradient.part(group.first, group.rows))
    }
  }

  private mutating func bias(_ role: LinearRole) throws {
    let value = try held(role.output)
    let offset = offsets.biases[role] ?? 0
    steps.append(
      .bias(
        BiasStep(
          offset: offset, values: value.place, gradient: value.gradient,
          partial: partial(value.place.columns, of: offset))))
  }

  private mutating func attend(_ cap: Float?) throws {
    let (query, key, value) = (try take(.query), try take(.key), try take(.value))
    let output = keep(configuration.querySize)
    let gradient = Place(.scratch(0), columns: configuration.querySize)
    let attention = CausalAttention(
      heads: configuration.heads, keyValueHeads: configuration.keyValueHeads,
      headDimension: configuration.headDimension,
      scale: configuration.attentionScale ?? 1 / Float(configuration.headDimension).squareRoot(),
      window: configuration.isWindowed(layer: layer) ? configuration.window : nil, cap: cap)
    steps.append(
      .attend(
        AttendStep(
          attention: attention, query: query.place, key: key.place, value: value.place,
          output: output, logSums: keep(configuration.heads), dQuery: query.gradient,
          dKey: key.gradient, dValue: value.gradient, dOutput: gradient)))
    values[.attended] = Value(place: output, gradient: gradient, isNeeded: true)
  }

  private mutating func gate() throws {
    let (gate, up) = (try take(.gate), try take(.up))
    let output = keep(configuration.feedForwardSize)
    let gradient = Place(.scratch(0), columns: configuration.feedForwardSize)
    steps.append(
      .gate(
        GateStep(
          unit: GatedUnit(activation: configuration.activation), gate: gate.place, up: up.place,
          output: output, dGate: gate.gradient, dUp: up.gradient, dOutput: gradient)))
    values[.gate] = Value(place: output, gradient: gradient)
  }

  private mutating func add(_ multiplier: Float) throws {
    // The product has added it already.
    guard values[.projected] != nil else { return }
    let value = try take(.projected)
    let isSame: Bool = if case .stream = value.gradient.memory { true } else { false }
    steps.append(
      .add(
        AddStep(
          version: sums, multiplier: multiplier, added: value.place,
          dAdded: isSame ? nil : value.gradient)))
    sums += 1
  }
}
