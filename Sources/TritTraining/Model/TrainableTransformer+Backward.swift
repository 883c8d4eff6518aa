import TritCore

extension TrainableTransformer {
  /// Adds the gradients of the mean loss of `batch`, times `weight`, to those of the parameters
  /// (replaces them unless `accumulate`), and gives that mean loss. With several batches to a step,
  /// `weight` is one by their number.
  @discardableResult public func backward(
    _ batch: TokenBatch, weight: Double = 1, accumulate: Bool = false
  ) throws -> Double {
    try check(batch)
    if gradients == nil {
      gradients = GradientBuffers(shape, sequences: sequences, length: length)
    }
    let targets = batch.targets.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
    runForward(batch)
    runHead(
      batch, gradientScale: Float(weight / Double(max(targets, 1))), accumulate: accumulate)
    guard var buffers = gradients else { return 0 }
    finishFinalNorm(buffers, batch, accumulate: accumulate)
    for layer in (0..<shape.layers).reversed() {
      backward(layer, buffers, batch, accumulate: accumulate)
      swap(&buffers.after, &buffers.before)
    }
    gradients = buffers
    embeddingGradient(buffers.after, batch, accumulate: accumulate)
    return meanLoss(batch)
  }

  /// From the gradient of the logits to that of the last residual stream.
  func headBackward(_ first: Int, _ dLogits: MatrixView<Float>, _ work: WorkerScratch) {
    guard let buffers = gradients else { return }
    let count = dLogits.rows
    let hidden = shape.hidden
    let dInput = MutableMatrixView(base: work.first.base, rows: count, columns: hidden)
    MatrixProduct.times(dLogits, headWeights, into: dInput)
    let sequence = first / count
    let partial = buffers.attentionNorm.storage.base + sequence * hidden
    partial.update(repeating: 0, count: hidden)
    NormGradient.backward(
      x: matrix(residuals[shape.layers], first, count, hidden).readOnly,
      weight: parameters.values.base + parameters.finalNorm, epsilon: shape.normEpsilon,
      dy: dInput.readOnly, adding: nil, into: matrix(buffers.after, first, count, hidden),
      dWeight: partial, scratch: work.row.base)
  }

  private func finishFinalNorm(
    _ buffers: GradientBuffers, _ batch: TokenBatch, accumulate: Bool
  ) {
    sumPartials(
      buffers.attentionNorm, batch, into: parameters.finalNorm, accumulate: accumulate)
  }

  /// Sums the sequences' parts of a norm's gradient, in their order.
  private func sumPartials(
    _ partials: Matrix<Float>, _ batch: TokenBatch, into offset: Int, accumulate: Bool
  ) {
    let target = parameters.gradients.base + offset
    if !accumulate { target.update(repeating: 0, count: partials.columns) }
    for sequence in 0..<batch.sequences {
      let row = partials.storage.base + sequence * partials.columns
      VectorMath.add(target, row, into: target, count: partials.columns)
    }
  }

  private func backward(
    _ layer: Int, _ buffers: GradientBuffers, _ batch: TokenBatch, accumulate: Bool
  ) {
    let count = batch.length
    pool.run(count: batch.sequences) { range, worker in
      for sequence in range {
        feedForwardBackward(layer, buffers, sequence, count, scratch[worker])
        attentionBackward(layer, buffers, sequence, count, scratch[worker])
      }
    }
    let at = parameters.layers[layer]
    let keep = saved[layer]
    let tokens = batch.sequences * count
    let (hidden, wide) = (shape.hidden, shape.feedForward)
    let products = [
      weightGradient(buffers.gateUp, 2 * wide, keep.unitInput, hidden, at.gateUp, tokens),
      weightGradient(buffers.after, hidden, keep.downInput, wide, at.down, tokens),
      weightGradient(
        buffers.projection, shape.projectionSize, keep.projectionInput, hidden, at.projection,
        tokens),
      weightGradient(
        buffers.middle, hidden, keep.outputInput, shape.querySize, at.attentionOutput, tokens),
    ]
    MatrixProduct.weightGradients(products, accumulate: accumulate, pool: pool)
    sumPartials(buffers.attentionNorm, batch, into: at.attentionNorm, accumulate: accumulate)
    sumPartials(buffers.feedForwardNorm, batch, into: at.feedForwardNorm, accumulate: accumulate)
    guard shape.hasSubNorms else { return }
    sumPartials(buffers.attentionSubNorm, batch, into: at.attentionSubNorm, accumulate: accumulate)
    sumPartials(
      buffers.feedForwardSubNorm, batch, into: at.feedForwardSubNorm, accumulate: accumulate)
  }

  /// The product that gives the gradient of the weights `[rows, columns]` at `offset`.
  private func weightGradient(
    _ dy: AlignedBuffer<Float>, _ rows: Int, _ x: AlignedBuffer<Float>, _ columns: Int,
    _ offset: Int, _ tokens: Int
  ) -> MatrixProduct.WeightGradient {
    MatrixProduct.WeightGradient(
      dy: matrix(dy, 0, tokens, rows).readOnly, x: matrix(x, 0, tokens, columns).readOnly,
      gradient: MutableMatrixView(
        base: parameters.gradients.base + offset, rows: rows, columns: columns))
  }

  /// From `after` to `middle` through down, the gated unit and its norms.
  private func feedForwardBackward(
    _ layer: Int, _ buffers: GradientBuffers, _ sequence: Int, _ count: Int, _ work: WorkerScratch
  ) {
    let at = parameters.layers[layer]
    let keep = saved[layer]
    let first = sequence * count
    let (hidden, wide) = (shape.hidden, shape.feedForward)
    let after = matrix(buffers.after, first, count, hidden)
    let gateUp = matrix(keep.gateUp, first, count, 2 * wide)
    let dUnit = MutableMatrixView(base: work.first.base, rows: count, columns: wide)
    MatrixProduct.times(
      after.readOnly, effectiveWeights(at.down, rows: hidden, columns: wide), into: dUnit)
    if shape.hasSubNorms {
      let h = MutableMatrixView(base: work.second.base, rows: count, columns: wide)
      unit.forward(gateUp.readOnly, into: h)
      normBackward(
        h.readOnly, at.feedForwardSubNorm, dUnit.readOnly, adding: nil, into: dUnit,
        buffers.feedForwardSubNorm, sequence, work)
    }
    let dGateUp = matrix(buffers.gateUp, first, count, 2 * wide)
    unit.backward(gateUp.readOnly, dh: dUnit.readOnly, into: dGateUp, scratch: work.row.base)
    let dInput = MutableMatrixView(base: work.first.base, rows: count, columns: hidden)
    MatrixProduct.times(
      dGateUp.readOnly, effectiveWeights(at.gateUp, rows: 2 * wide, columns: hidden), into: dInput)
    normBackward(
      matrix(keep.middle, first, count, hidden).readOnly, at.feedForwardNorm, dInput.readOnly,
      adding: after.readOnly, into: matrix(buffers.middle, first, count, hidden),
      buffers.feedForwardNorm, sequence, work)
  }

  /// From `middle` to `before` through the output projection, attention and its norms.
  private func attentionBackward(
    _ layer: Int, _ buffers: GradientBuffers, _ sequence: Int, _ count: Int, _ work: WorkerScratch
  ) {
    let at = parameters.layers[layer]
    let keep = saved[layer]
    let first = sequence * count
    let hidden = shape.hidden
    let middle = matrix(buffers.middle, first, count, hidden)
    let attended = matrix(keep.attention, first, count, shape.querySize)
    let dAttended = MutableMatrixView(
      base: work.first.base, rows: count, columns: shape.querySize)
    MatrixProduct.times(
      middle.readOnly,
      effectiveWeights(at.attentionOutput, rows: hidden, columns: shape.querySize),
      into: dAttended)
    if shape.hasSubNorms {
      normBackward(
        attended.readOnly, at.attentionSubNorm, dAttended.readOnly, adding: nil, into: dAttended,
        buffers.attentionSubNorm, sequence, work)
    }
    let dProjection = matrix(buffers.projection, first, count, shape.projectionSize)
    attention.backward(
      matrix(keep.projection, first, count, shape.projectionSize).readOnly,
      out: attended.readOnly, dOut: dAttended.readOnly,
      logSums: keep.logSums.base + first * shape.heads, into: dProjection,
      scratch: work.attention.base)
    rotary.turn(dProjection, heads: shape.heads + shape.keyValueHeads, inverse: true)
    let dInput = MutableMatrixView(base: work.first.base, rows: count, columns: hidden)
    MatrixProduct.times(
      dProjection.readOnly,
      effectiveWeights(at.projection, rows: shape.projectionSize, columns: hidden), into: dInput)
    normBackward(
      matrix(residuals[layer], first, count, hidden).readOnly, at.attentionNorm, dInput.readOnly,
      adding: middle.readOnly, into: matrix(buffers.before, first, count, hidden),
      buffers.attentionNorm, sequence, work)
  }

  private func normBackward(
    _ x: MatrixView<Float>, _ gain: Int, _ dy: MatrixView<Float>, adding base: MatrixView<Float>?,
    into dx: MutableMatrixView<Float>, _ partials: Matrix<Float>, _ sequence: Int,
    _ work: WorkerScratch
  ) {
    let partial = partials.storage.base + sequence * partials.columns
    partial.update(repeating: 0, count: partials.columns)
    NormGradient.backward(
      x: x, weight: parameters.values.base + gain, epsilon: shape.normEpsilon, dy: dy,
      adding: base, into: dx, dWeight: partial, scratch: work.row.base)
  }

  /// Adds every token's gradient to its embedding row. Workers take columns, so that the order of a
  /// sum is that of the tokens.
  private func embeddingGradient(
    _ dEmbedded: AlignedBuffer<Float>, _ batch: TokenBatch, accumulate: Bool
  ) {
    let hidden = shape.hidden
    // A tied head has put its gradient there already.
    if !shape.tiesEmbeddings, !accumulate {
      (parameters.gradients.base + parameters.embedding)
        .update(repeating: 0, count: shape.vocabulary * hidden)
    }
    pool.run(count: hidden, alignment: 16) { range, _ in
      let target = parameters.gradients.base + parameters.embedding + range.lowerBound
      for (index, token) in batch.tokens.enumerated() {
        let row = target + Int(token) * hidden
        VectorMath.add(
          row, dEmbedded.base + index * hidden + range.lowerBound, into: row, count: range.count)
      }
    }
  }
}
