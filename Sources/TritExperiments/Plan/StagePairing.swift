internal import TritCore
internal import TritKernels
internal import TritModel
internal import TritQuantization

/// Finds variants whose stages cannot work together, before any model is read.
///
/// Each pair of quantizer and kernel is tried on a small matrix: what the kernel itself says against the
/// quantizer's form is the message. A shape that a kernel cannot take is not judged here; that depends
/// on the model.
struct StagePairing {
  private let registries: StageRegistries
  /// Rows and columns of the trial: a multiple of every block size that packings have.
  private static let shape = (rows: 256, columns: 768)

  init(_ registries: StageRegistries) { self.registries = registries }

  func check(_ variants: [PlannedVariant], _ problems: Problems) {
    var verdicts: [[StageChoice?]: LabError?] = [:]
    for variant in variants {
      let selection = variant.selection
      var trios = [(selection.quantizer, selection.activations, selection.kernel, "kernel")]
      for layer in selection.layers {
        // A layer whose form changes and that names no kernel is run by `auto`.
        guard let kernel = layer.kernel else { continue }
        trios.append(
          (
            layer.quantizer ?? selection.quantizer, layer.activations ?? selection.activations,
            kernel, "layers.\"\(layer.pattern)\".kernel"
          ))
      }
      for (quantizer, activations, kernel, key) in trios {
        let trio = [quantizer, activations, kernel]
        let verdict: LabError?
        if let known = verdicts[trio] {
          verdict = known
        } else {
          verdict = judge(quantizer, activations, kernel)
          verdicts[trio] = .some(verdict)
        }
        guard let verdict else { continue }
        let position =
          variant.settings.positions["kernel"] ?? variant.settings.positions["quantizer"]
          ?? variant.position
        problems.add(
          verdict.what, "variant '\(variant.label)', \(key)", at: position,
          expected: verdict.expected, got: verdict.got, advice: verdict.advice)
      }
    }
  }

  /// Why the three cannot work together, if so.
  private func judge(
    _ quantizer: StageChoice?, _ activations: StageChoice?, _ kernel: StageChoice
  ) -> LabError? {
    // `auto`, and a packing's name, are decided with the weights in hand.
    guard kernel.name != "auto", let runner = try? registries.kernels.make(kernel) else {
      return nil
    }
    if let activations, let stage = try? registries.activations.make(activations),
      stage.form != runner.accepts
    {
      let fitting = registries.activations.available()
        .filter { $0.product.form == runner.accepts }.map(\.name)
      return LabError(
        .badData,
        "kernel '\(kernel.name)' multiplies \(runner.accepts.rawValue) activations; "
          + "activations '\(activations.name)' gives \(stage.form.rawValue)",
        advice: "use activations \(fitting.joined(separator: ", ")), or another kernel")
    }
    guard let quantizer, let stage = try? registries.quantizers.make(quantizer),
      let weights = try? stage.quantize(Self.sample.view)
    else { return nil }
    do {
      _ = try runner.prepare(weights)
      return nil
    } catch let error as LabError {
      // A kernel that refuses every form at this shape refuses the shape, not the quantizer.
      let takesAnother = registries.quantizers.available().contains { _, other in
        guard let form = try? other.quantize(Self.sample.view) else { return false }
        return (try? runner.prepare(form)) != nil
      }
      return takesAnother ? error : nil
    } catch {
      return nil
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
