import TritCore
import TritQuantization

extension TrainableTransformer {
  /// The mean cross-entropy of `targets` `[sequences, length]` after `tokens`, in nats a token,
  /// without gradients. A target of −1 does not count.
  public func loss(_ batch: TokenBatch) throws -> Double {
    try check(batch)
    runForward(batch)
    runHead(batch, gradientScale: nil)
    return meanLoss(batch)
  }

  /// The logits `[tokens, vocabulary]` of one sequence.
  public func logits(_ tokens: [Int32]) throws -> Matrix<Float> {
    let batch = TokenBatch(
      tokens: tokens, targets: tokens.map { _ in CrossEntropy.ignored }, sequences: 1)
    try check(batch)
    runForward(batch)
    let result = Matrix<Float>(rows: tokens.count, columns: shape.vocabulary)
    finalNorm(0, batch.length)
    headProduct(0, batch.length, into: result.mutableView)
    return result
  }

  func check(_ batch: TokenBatch) throws {
    guard (1...sequences).contains(batch.sequences), (1...length).contains(batch.length) else {
      throw LabError(
        .usage, "the batch is larger than the model has room for",
        expected: "at most \(sequences) sequences of 1…\(length) tokens",
        got: "\(batch.sequences) × \(batch.length)")
    }
    let vocabulary = Int32(shape.vocabulary)
    if let bad = batch.tokens.first(where: { $0 < 0 || $0 >= vocabulary })
      ?? batch.targets.first(where: { $0 < -1 || $0 >= vocabulary })
    {
      throw LabError(
        .badData, "a token is outside the vocabulary", expected: "0…\(vocabulary - 1)",
        got: "\(bad)", advice: "the text was encoded by another tokenizer")
    }
  }

  func meanLoss(_ batch: TokenBatch) -> Double {
    let sum = losses[0..<batch.sequences].reduce(0) { $0 + $1.sum }
    let count = losses[0..<batch.sequences].reduce(0) { $0 + $1.count }
    return count == 0 ? 0 : sum / Double(count)
  }

  /// Runs every sequence through the embedding and all blocks.
  func runForward(_ batch: TokenBatch) {
    let count = batch.length
    let hidden = shape.hidden
    pool.run(count: batch.sequences) { range, worker in
      let embedding = parameters.values.base + parameters.embedding
      for sequence in range {
        let first = sequence * count
        for index in first..<first + count {
          (residuals[0].base + index * hidden).update(
            from: embedding + Int(batch.tokens[index]) * hidden, count: hidden)
        }
        for layer in 0..<shape.layers {
          forward(layer, first: first, count: count, scratch[worker])
        }
      }
    }
  }

  private func forward(_ layer: Int, first: Int, count: Int, _ work: WorkerScratch) {
    let keep = saved[layer]
    let at = parameters.layers[layer]
    let hidden = shape.hidden
    let input = matrix(residuals[layer], first, count, hidden)
    let middle = matrix(keep.middle, first, count, hidden)
    let output = matrix(residuals[layer + 1], first, count, hidden)

    let projectionInput = matrix(keep.projectionInput, first, count, hidden)
    normed(input.readOnly, gain: at.attentionNorm, into: projectionInput)
    quantize(projectionInput, work)
    let projection = matrix(keep.projection, first, count, shape.projectionSize)
    MatrixProduct.timesTransposed(
      projectionInput.readOnly,
      effectiveWeights(at.projection, rows: shape.projectionSize, columns: hidden),
      into: projection)
    rotary.turn(projection, heads: shape.heads + shape.keyValueHeads, inverse: false)

    let attended = matrix(keep.attention, first, count, shape.querySize)
    attention.forward(
      projection.readOnly, into: attended, logSums: keep.logSums.base + first * shape.heads,
      scratch: work.attention.base)
    let outputInput = matrix(keep.outputInput, first, count, shape.querySize)
    if shape.hasSubNorms {
      normed(attended.readOnly, gain: at.attentionSubNorm, into: outputInput)
    } else {
      outputInput.base.update(from: attended.base, count: count * shape.querySize)
    }
    quantize(outputInput, work)
    middle.base.update(from: input.base, count: count * hidden)
    MatrixProduct.timesTransposed(
      outputInput.readOnly,
      effectiveWeights(at.attentionOutput, rows: hidden, columns: shape.querySize), beta: 1,
      into: middle)

    let unitInput = matrix(keep.unitInput, first, count, hidden)
    normed(middle.readOnly, gain: at.feedForwardNorm, into: unitInput)
    quantize(unitInput, work)
    let gateUp = matrix(keep.gateUp, first, count, 2 * shape.feedForward)
    MatrixProduct.timesTransposed(
      unitInput.readOnly,
      effectiveWeights(at.gateUp, rows: 2 * shape.feedForward, columns: hidden), into: gateUp)
    let downInput = matrix(keep.downInput, first, count, shape.feedForward)
    unit.forward(gateUp.readOnly, into: downInput)
    if shape.hasSubNorms {
      normed(downInput.readOnly, gain: at.feedForwardSubNorm, into: downInput)
    }
    quantize(downInput, work)
    output.base.update(from: middle.base, count: count * hidden)
    MatrixProduct.timesTransposed(
      downInput.readOnly, effectiveWeights(at.down, rows: hidden, columns: shape.feedForward),
      beta: 1, into: output)
  }

  /// Rows `first..<first + count` of a `[tokens, columns]` buffer.
  func matrix(
    _ buffer: AlignedBuffer<Float>, _ first: Int, _ count: Int, _ columns: Int
  ) -> MutableMatrixView<Float> {
    MutableMatrixView(base: buffer.base + first * columns, rows: count, columns: columns)
  }

  /// The norm whose gains are the parameter at `gain`.
  func normed(_ x: MatrixView<Float>, gain: Int, into out: MutableMatrixView<Float>) {
    let weight = parameters.values.base + gain
    for row in 0..<x.rows {
      VectorMath.rmsNorm(
        x.base + row * x.stride, weight: weight, epsilon: shape.normEpsilon,
        into: out.base + row * out.stride, count: x.columns)
    }
  }

  /// Replaces `x` by what its quantized form stands for.
  private func quantize(_ x: MutableMatrixView<Float>, _ work: WorkerScratch) {
    guard quantizesActivations else { return }
    let rows = work.rows(columns: x.columns, shape)
    activations.quantize(x.readOnly, into: rows)
    Dequantization.write(rows, into: x.base)
  }

  // MARK: The head

  /// The last norm of rows `first..<first + count`, into `headInput`.
  func finalNorm(_ first: Int, _ count: Int) {
    normed(
      matrix(residuals[shape.layers], first, count, shape.hidden).readOnly,
      gain: parameters.finalNorm, into: matrix(headInput, first, count, shape.hidden))
  }

  func headProduct(_ first: Int, _ count: Int, into out: MutableMatrixView<Float>) {
    MatrixProduct.timesTransposed(
      matrix(headInput, first, count, shape.hidden).readOnly, headWeights, into: out)
  }

  var headWeights: MatrixView<Float> {
    MatrixView(
      base: parameters.values.base + parameters.head, rows: shape.vocabulary,
      columns: shape.hidden)
  }

  /// Logits and losses of all sequences; with a scale also the gradients of the head, and of what
  /// goes into it.
  func runHead(_ batch: TokenBatch, gradientScale: Float?, accumulate: Bool = false) {
    let count = batch.length
    for chunk in stride(from: 0, to: batch.sequences, by: headSequences) {
      let end = min(chunk + headSequences, batch.sequences)
      // Threads write disjoint elements.
      losses.withUnsafeMutableBufferPointer { losses in
        let losses = UncheckedRows(base: losses)
        pool.run(count: end - chunk) { range, worker in
          for index in range {
            let first = (chunk + index) * count
            let values = matrix(logits, index * count, count, shape.vocabulary)
            finalNorm(first, count)
            headProduct(first, count, into: values)
            batch.targets.withUnsafeBufferPointer { targets in
              guard let base = targets.baseAddress else { return }
              losses.base[chunk + index] = CrossEntropy.loss(
                values, targets: base + first, gradientScale: gradientScale)
            }
            if gradientScale != nil { headBackward(first, values.readOnly, scratch[worker]) }
          }
        }
      }
      guard gradientScale != nil else { continue }
      let head = MatrixProduct.WeightGradient(
        dy: matrix(logits, 0, (end - chunk) * count, shape.vocabulary).readOnly,
        x: matrix(headInput, chunk * count, (end - chunk) * count, shape.hidden).readOnly,
        gradient: MutableMatrixView(
          base: parameters.gradients.base + parameters.head, rows: shape.vocabulary,
          columns: shape.hidden))
      MatrixProduct.weightGradients([head], accumulate: accumulate || chunk > 0, pool: pool)
    }
  }
}

/// Elements that workers write at disjoint indices.
struct UncheckedRows<Element>: @unchecked Sendable {
  let base: UnsafeMutableBufferPointer<Element>
}
