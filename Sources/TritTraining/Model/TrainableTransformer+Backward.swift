import TritCore
import TritModel

extension TrainableTransformer {
  /// Adds the gradients of the mean loss of `batch`, times `weight`, to those of the parameters
  /// (replaces them unless `accumulate`), and gives that mean loss. With several batches to a step,
  /// `weight` is one by their number.
  @discardableResult public func backward(
    _ batch: TokenBatch, weight: Double = 1, accumulate: Bool = false
  ) throws -> Double {
    try check(batch)
    if gradients == nil {
      gradients = GradientBuffers(
        programs, hidden: shape.hidden, sequences: sequences, length: length)
    }
    let targets = batch.targets.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
    runForward(batch)
    runHead(
      batch, gradientScale: Float(weight / Double(max(targets, 1))), accumulate: accumulate)
    guard var buffers = gradients else { return 0 }
    sumPartials(
      buffers.finalNorm, width: shape.hidden, batch, into: parameters.finalNorm,
      accumulate: accumulate)
    for layer in (0..<shape.layers).reversed() {
      // What comes out of a layer's input goes into the output of the one before.
      let sums = programs[layer].sums
      backward(layer, buffers, batch, accumulate: accumulate)
      let before = layer > 0 ? programs[layer - 1].sums : sums
      buffers.streams.swapAt(0, before)
    }
    gradients = buffers
    embeddingGradient(
      buffers.streams[programs.first?.sums ?? 0], batch, accumulate: accumulate)
    return meanLoss(batch)
  }

  /// From the gradient of the logits to that of the last residual stream.
  func headBackward(_ sequence: Int, _ dLogits: MatrixView<Float>, _ work: WorkerScratch) {
    guard let buffers = gradients, let last = programs.last else { return }
    let count = dLogits.rows
    let first = sequence * count
    let hidden = shape.hidden
    let dInput = MutableMatrixView(base: work.matrices[0].base, rows: count, columns: hidden)
    MatrixProduct.times(dLogits, headWeights, into: dInput)
    let partial = buffers.finalNorm.storage.base + sequence * hidden
    partial.update(repeating: 0, count: hidden)
    NormGradient.backward(
      x: matrix(residuals[shape.layers], first, count, hidden).readOnly,
      weight: gains(finalGain), epsilon: shape.configuration.normEpsilon,
      dy: dInput.readOnly, adding: nil,
      into: matrix(buffers.streams[last.sums], first, count, hidden), dWeight: partial,
      scratch: work.row.base)
  }

  /// Sums the sequences' parts of the gradient of gains or a bias, in their order.
  private func sumPartials(
    _ partials: Matrix<Float>, width: Int, _ batch: TokenBatch, into offset: Int, accumulate: Bool
  ) {
    let target = parameters.gradients.base + offset
    if !accumulate { target.update(repeating: 0, count: width) }
    for sequence in 0..<batch.sequences {
      let row = partials.storage.base + sequence * partials.columns
      VectorMath.add(target, row, into: target, count: width)
    }
  }

  private func backward(
    _ layer: Int, _ buffers: GradientBuffers, _ batch: TokenBatch, accumulate: Bool
  ) {
    let count = batch.length
    let program = programs[layer]
    pool.run(count: batch.sequences) { range, worker in
      for sequence in range {
        let pass = BackwardPass(
          forward: SequencePass(
            layer: layer, sequence: sequence, first: sequence * count, count: count,
            scratch: scratch[worker]), buffers: buffers)
        for step in program.steps.reversed() { backward(step, pass) }
      }
    }
    let tokens = batch.sequences * count
    var products: [MatrixProduct.WeightGradient] = []
    for case .project(let step) in program.steps {
      for branch in step.branches {
        products.append(weightGradient(branch, layer, buffers, tokens))
      }
    }
    MatrixProduct.weightGradients(products, accumulate: accumulate, pool: pool)
    for (index, partial) in program.partials.enumerated() {
      sumPartials(
        buffers.partials[index], width: partial.width, batch, into: partial.parameter,
        accumulate: accumulate)
    }
  }

  /// The product that gives the gradient of the weights of a branch, over all tokens.
  private func weightGradient(
    _ branch: ProjectStep.Branch, _ layer: Int, _ buffers: GradientBuffers, _ tokens: Int
  ) -> MatrixProduct.WeightGradient {
    // Only a sequence's own passes use scratch: inputs of products are kept, and their gradients
    // shared or the stream's.
    let pass = BackwardPass(
      forward: SequencePass(
        layer: layer, sequence: 0, first: 0, count: tokens, scratch: scratch[0]),
      buffers: buffers)
    return MatrixProduct.WeightGradient(
      dy: gradients(branch.gradient, pass).readOnly,
      x: values(branch.input, pass.forward).readOnly,
      gradient: MutableMatrixView(
        base: parameters.gradients.base + branch.weights, rows: branch.rows,
        columns: branch.columns))
  }

  private func backward(_ step: TrainingStep, _ pass: BackwardPass) {
    func values(_ place: Place) -> MatrixView<Float> { self.values(place, pass.forward).readOnly }
    func gradients(_ place: Place) -> MutableMatrixView<Float> { self.gradients(place, pass) }
    let work = pass.forward.scratch
    switch step {
    case .norm(let step):
      normBackward(
        values(step.input), step.gain, gradients(step.dOutput).readOnly,
        adding: step.around.map { gradients($0).readOnly }, into: gradients(step.dInput),
        partial(step.partial, width: step.input.columns, pass), work)
    case .headNorm(let step): backward(step, pass)
    case .project(let step): backward(step, pass)
    case .bias(let step):
      let rows = gradients(step.gradient)
      let sum = partial(step.partial, width: rows.columns, pass)
      for row in 0..<rows.rows {
        VectorMath.add(sum, rows.base + row * rows.stride, into: sum, count: rows.columns)
      }
    case .rotate(let step): step.rotary.turn(gradients(step.gradient), inverse: true)
    case .attend(let step):
      step.attention.backward(
        CausalAttention.Forward(
          query: values(step.query), key: values(step.key), value: values(step.value),
          out: values(step.output), dOut: gradients(step.dOutput).readOnly,
          logSums: values(step.logSums).base),
        dQuery: gradients(step.dQuery), dKey: gradients(step.dKey),
        dValue: gradients(step.dValue), scratch: work.attention.base)
    case .gate(let step):
      step.unit.backward(
        gate: values(step.gate), up: values(step.up), dh: gradients(step.dOutput).readOnly,
        dGate: gradients(step.dGate), dUp: gradients(step.dUp), scratch: work.row.base)
    case .add(let step):
      guard let place = step.dAdded else { return }
      let target = gradients(place)
      let sum = matrix(
        pass.buffers.streams[step.version + 1], pass.forward.first, target.rows, target.columns)
      for row in 0..<target.rows {
        VectorMath.scale(
          sum.base + row * sum.stride, by: step.multiplier, into: target.base + row * target.stride,
          count: target.columns)
      }
    }
  }

  private func backward(_ step: HeadNormStep, _ pass: BackwardPass) {
    let kept = values(step.kept, pass.forward)
    let rows = gradients(step.gradient, pass)
    let sum = partial(step.partial, width: step.dimension, pass)
    for start in stride(from: 0, to: rows.columns, by: step.dimension) {
      let head = MutableMatrixView(
        base: rows.base + start, rows: rows.rows, columns: step.dimension, stride: rows.stride)
      normBackward(
        MatrixView(
          base: kept.base + start, rows: kept.rows, columns: step.dimension, stride: kept.stride),
        step.gain, head.readOnly, adding: nil, into: head, sum, pass.forward.scratch)
    }
  }

  private func backward(_ step: ProjectStep, _ pass: BackwardPass) {
    let dInput = gradients(step.dInput, pass)
    for (index, branch) in step.branches.enumerated() {
      let dy = gradients(branch.gradient, pass).readOnly
      guard let gain = branch.norm else {
        MatrixProduct.times(dy, weights(branch), beta: index == 0 ? 0 : 1, into: dInput)
        continue
      }
      let dNormed = MutableMatrixView(
        base: pass.forward.scratch.matrices[1].base, rows: dy.rows, columns: branch.columns)
      MatrixProduct.times(dy, weights(branch), into: dNormed)
      normBackward(
        values(step.input, pass.forward).readOnly, gain,
        epsilon: shape.configuration.quantization?.innerNormEpsilon, dNormed.readOnly,
        adding: index == 0 ? nil : dInput.readOnly, into: dInput,
        partial(branch.partial, width: branch.columns, pass), pass.forward.scratch)
    }
  }

  private func normBackward(
    _ x: MatrixView<Float>, _ gain: Gain, epsilon: Float? = nil, _ dy: MatrixView<Float>,
    adding base: MatrixView<Float>?, into dx: MutableMatrixView<Float>,
    _ partial: UnsafeMutablePointer<Float>, _ work: WorkerScratch
  ) {
    NormGradient.backward(
      x: x, weight: gains(gain), epsilon: epsilon ?? shape.configuration.normEpsilon, dy: dy,
      adding: base, into: dx, dWeight: partial, scratch: work.row.base)
  }

  /// The sum of a sequence, at 0.
  private func partial(
    _ index: Int, width: Int, _ pass: BackwardPass
  ) -> UnsafeMutablePointer<Float> {
    let partials = pass.buffers.partials[index]
    let row = partials.storage.base + pass.forward.sequence * partials.columns
    row.update(repeating: 0, count: width)
    return row
  }

  /// A gradient, for the sequence of `pass`.
  private func gradients(_ place: Place, _ pass: BackwardPass) -> MutableMatrixView<Float> {
    let (first, count) = (pass.forward.first, pass.forward.count)
    return switch place.memory {
    case .stream(let version):
      place.view(pass.buffers.streams[version], first: first, count: count)
    case .shared(let index):
      place.view(pass.buffers.shared[index], first: first, count: count)
    case .scratch(let index):
      place.view(pass.forward.scratch.matrices[index], first: 0, count: count)
    case .kept: preconditionFailure("a gradient among values")
    }
  }

  /// Adds every token's gradient to its embedding row. Workers take columns, so that the order of a
  /// sum is that of the tokens.
  private func embeddingGradient(
    _ dEmbedded: AlignedBuffer<Float>, _ batch: TokenBatch, accumulate: Bool
  ) {
    let hidden = shape.hidden
    let multiplier = shape.configuration.embeddingMultiplier
    // A tied head has put its gradient there already.
    if !shape.tiesEmbeddings, !accumulate {
      (parameters.gradients.base + parameters.embedding)
        .update(repeating: 0, count: shape.vocabulary * hidden)
    }
    pool.run(count: hidden, alignment: 16) { range, _ in
      let target = parameters.gradients.base + parameters.embedding + range.lowerBound
      for (index, token) in batch.tokens.enumerated() {
        let row = target + Int(token) * hidden
        let gradient = dEmbedded.base + index * hidden + range.lowerBound
        if multiplier == 1 {
          VectorMath.add(row, gradient, into: row, count: range.count)
        } else {
          VectorMath.axpy(multiplier, gradient, into: row, count: range.count)
        }
      }
    }
  }
}

/// One sequence on its way back through a layer.
struct BackwardPass {
  let forward: SequencePass
  let buffers: GradientBuffers
}
