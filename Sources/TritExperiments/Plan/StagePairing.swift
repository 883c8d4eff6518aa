internal import TritCore
internal import TritKernels
internal import TritModel
internal import TritQuantization

/// Finds variants whose stages cannot work together, before any model is read.
///
/// It asks what the engine asks: the lab makes every stage that is chosen, and each kernel prepares
/// what the quantizer makes of a small matrix, for the form that the activation quantizer gives.
/// What they say is the message, so that a choice is refused here if and only if an engine would
/// refuse it for every model. A shape that a kernel cannot take is not judged, nor a choice that is
/// left to the checkpoint: that depends on the model.
struct StagePairing {
  private let lab: Lab
  /// The small matrix by quantizer, made once each.
  private let samples = QuantizedSamples()
  /// Rows and columns of the trial: a multiple of every block size that packings have.
  private static let shape = (rows: 256, columns: 768)

  init(_ lab: Lab) { self.lab = lab }

  func check(_ variants: [PlannedVariant], _ problems: Problems) {
    var verdicts: [LayerChoices: Verdict?] = [:]
    for variant in variants {
      let selection = variant.selection
      guard check(makes: variant, problems) else { continue }
      for choices in selection.layerChoices() {
        var trio = choices
        trio.kernelPattern = nil
        let verdict: Verdict?
        if let known = verdicts[trio] {
          verdict = known
        } else {
          verdict = judge(trio)
          verdicts[trio] = .some(verdict)
        }
        guard let verdict else { continue }
        let word = verdict.key.rawValue
        let pattern = verdict.key == .kernel ? choices.kernelPattern : nil
        let key = pattern.map { "layers.\"\($0)\".\(word)" } ?? word
        let position =
          variant.settings.positions[word] ?? variant.settings.positions["quantizer"]
          ?? variant.position
        let error = verdict.error
        problems.add(
          error.what, "variant '\(variant.label)', \(key)", at: position,
          expected: error.expected, got: error.got, advice: error.advice)
      }
    }
  }

  /// Notes every stage of a variant that its registry does not make: a parameter may be in its
  /// range and yet impossible (a Hadamard block of 96). False where there is one.
  private func check(makes variant: PlannedVariant, _ problems: Problems) -> Bool {
    let selection = variant.selection
    var isGood = true
    func attempt(_ key: String, _ make: () throws -> Void) {
      do {
        try make()
      } catch let error as LabError {
        isGood = false
        let position =
          variant.settings.positions[String(key.prefix { $0 != "." })] ?? variant.position
        problems.add(
          error.what, "variant '\(variant.label)', \(key)", at: position,
          expected: error.expected, got: error.got, advice: error.advice)
      } catch {
        isGood = false
        problems.add("\(error)", "variant '\(variant.label)', \(key)", at: variant.position)
      }
    }
    for kind in lab.kinds(in: .layer, .model) {
      guard let choice = selection.choice(kind) else { continue }
      attempt(kind.key.rawValue) { try lab.attempt(kind.key, choice) }
    }
    for layer in selection.layers {
      for (key, choice) in Lab.inOrder(layer.choices) where choice != .asTheModelSays {
        attempt("layers.\"\(layer.pattern)\".\(key.rawValue)") { try lab.attempt(key, choice) }
      }
    }
    return isGood
  }

  /// Why choices cannot work together, and which of them says so.
  private struct Verdict {
    let key: StageKey
    let error: LabError
  }

  /// Why the choices of a layer cannot work together, if so.
  private func judge(_ choices: LayerChoices) -> Verdict? {
    if let error = packingError(choices) { return Verdict(key: .packing, error: error) }
    return kernelError(choices).map { Verdict(key: .kernel, error: $0) }
  }

  /// Why the kernel does not take what the others give, if so.
  private func kernelError(_ choices: LayerChoices) -> LabError? {
    guard let runner = try? lab[.kernel].make(choices.kernel) else { return nil }
    // `auto` finds a kernel for whatever comes, with the weights in hand.
    if runner is AutoKernel { return nil }
    let rows = choices.activations.flatMap { try? lab[.activations].make($0) }
    if let rows, let named = choices.activations, !runner.forms.contains(rows.form) {
      let fitting = lab[.activations].available()
        .filter { runner.forms.contains($0.product.form) }.map(\.name)
      let own = runner.forms.map(\.rawValue).sorted().joined(separator: " or ")
      return LabError(
        .badData,
        "kernel '\(choices.kernel.name)' multiplies \(own) activations; "
          + "activations '\(named.name)' gives \(rows.form.rawValue)",
        advice: "use activations \(fitting.joined(separator: ", ")), or another kernel")
    }
    guard let quantizer = choices.quantizer, let made = sample(quantizer),
      let weights = packed(made, choices.packing)
    else { return nil }
    let form = rows?.form ?? runner.accepts
    do {
      _ = try runner.prepare(weights, for: form)
      return nil
    } catch let error as LabError {
      // A kernel that refuses every form at this shape refuses the shape, not the quantizer.
      let takesAnother = lab[.quantizer].names.contains { other in
        sample(StageChoice(other)).map { (try? runner.prepare($0, for: form)) != nil } ?? false
      }
      return takesAnother ? error : nil
    } catch {
      return nil
    }
  }

  /// Why the packing cannot hold what the quantizer gives, if so.
  private func packingError(_ choices: LayerChoices) -> LabError? {
    guard let choice = choices.packing, let packing = try? lab[.packing].make(choice),
      let quantizer = choices.quantizer, let weights = self.sample(quantizer)
    else { return nil }
    do {
      _ = try packing.pack(weights)
      return nil
    } catch let error as LabError {
      // A packing that refuses every form at this shape refuses the shape, not the quantizer.
      let takesAnother = lab[.quantizer].names.contains { other in
        sample(StageChoice(other)).map { (try? packing.pack($0)) != nil } ?? false
      }
      return takesAnother ? error : nil
    } catch {
      return nil
    }
  }

  /// `weights` after the packing of that choice; nil where it does not take them.
  private func packed(_ weights: QuantizedWeights, _ choice: StageChoice?) -> QuantizedWeights? {
    guard let choice else { return weights }
    guard let packing = try? lab[.packing].make(choice) else { return nil }
    return try? packing.unpack(packing.pack(weights)).collapsed
  }

  /// What a quantizer makes of the small matrix; nil where it makes nothing of it.
  private func sample(_ quantizer: StageChoice) -> QuantizedWeights? {
    samples.value(quantizer) {
      try? lab[.quantizer].make(quantizer).quantize(Self.sample.view)
    }
  }

  /// Gaussian-like weights that are the same on every machine.
  private static let sample: Matrix<Float> = {
    let matrix = Matrix<Float>(rows: shape.rows, columns: shape.columns)
    var random = SeededRandom(seed: 1)
    for row in 0..<shape.rows {
      for column in 0..<shape.columns {
        let sum = (0..<4).reduce(0.0) { total, _ in total + random.uniform() - 0.5 }
        matrix.mutableView[row, column] = Float(sum)
      }
    }
    return matrix
  }()
}

/// What quantizers have made of one matrix, by choice.
private final class QuantizedSamples {
  private var known: [StageChoice: QuantizedWeights?] = [:]

  func value(_ choice: StageChoice, make: () -> QuantizedWeights?) -> QuantizedWeights? {
    if let value = known[choice] { return value }
    let value = make()
    known[choice] = .some(value)
    return value
  }
}
