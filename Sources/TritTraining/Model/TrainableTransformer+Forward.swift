import TritCore
import TritModel
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
    finish.apply(result.mutableView)
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
    let multiplier = shape.configuration.embeddingMultiplier
    shiftGains()
    pool.run(count: batch.sequences) { range, worker in
      let embedding = parameters.values.base + parameters.embedding
      for sequence in range {
        let first = sequence * count
        for index in first..<first + count {
          let row = residuals[0].base + index * hidden
          let source = embedding + Int(batch.tokens[index]) * hidden
          if multiplier == 1 {
            row.update(from: source, count: hidden)
          } else {
            VectorMath.scale(source, by: multiplier, into: row, count: hidden)
          }
        }
        for layer in 0..<shape.layers {
          let pass = SequencePass(
            layer: layer, sequence: sequence, first: first, count: count, scratch: scratch[worker])
          for step in programs[layer].steps { forward(step, pass) }
        }
      }
    }
  }

  /// Adds to gains what they multiply with beside themselves.
  private func shiftGains() {
    guard let shiftedGains else { return }
    for info in parameters.list where info.gainOffset != 0 {
      for index in info.offset..<info.offset + info.count {
        shiftedGains.base[index] = parameters.values.base[index] + info.gainOffset
      }
    }
  }

  private func forward(_ step: TrainingStep, _ pass: SequencePass) {
    func values(_ place: Place) -> MutableMatrixView<Float> { self.values(place, pass) }
    switch step {
    case .norm(let step): normed(values(step.input).readOnly, step.gain, into: values(step.output))
    case .headNorm(let step): forward(step, pass)
    case .project(let step): forward(step, pass)
    case .bias(let step):
      let rows = values(step.values)
      let bias = parameters.values.base + step.offset
      for row in 0..<rows.rows {
        let target = rows.base + row * rows.stride
        VectorMath.add(target, bias, into: target, count: rows.columns)
      }
    case .rotate(let step): step.rotary.turn(values(step.values), inverse: false)
    case .attend(let step):
      step.attention.forward(
        query: values(step.query).readOnly, key: values(step.key).readOnly,
        value: values(step.value).readOnly, into: values(step.output),
        logSums: values(step.logSums).base, scratch: pass.scratch.attention.base)
    case .gate(let step):
      step.unit.forward(
        gate: values(step.gate).readOnly, up: values(step.up).readOnly, into: values(step.output),
        scratch: pass.scratch.row.base)
    case .add(let step):
      let before = stream(step.version, pass)
      let after = stream(step.version + 1, pass)
      let added = values(step.added)
      for row in 0..<added.rows {
        let source = added.base + row * added.stride
        if step.multiplier != 1 {
          VectorMath.scale(source, by: step.multiplier, into: source, count: added.columns)
        }
        VectorMath.add(
          before.base + row * before.stride, source, into: after.base + row * after.stride,
          count: added.columns)
      }
    }
  }

  private func forward(_ step: HeadNormStep, _ pass: SequencePass) {
    let rows = values(step.values, pass)
    let kept = values(step.kept, pass)
    for row in 0..<rows.rows {
      let target = rows.base + row * rows.stride
      let source = kept.base + row * kept.stride
      source.update(from: target, count: rows.columns)
      for start in stride(from: 0, to: rows.columns, by: step.dimension) {
        VectorMath.rmsNorm(
          source + start, weight: gains(step.gain), epsilon: shape.configuration.normEpsilon,
          into: target + start, count: step.dimension)
      }
    }
  }

  private func forward(_ step: ProjectStep, _ pass: SequencePass) {
    let source = values(step.input, pass)
    if let version = step.stream {
      let before = stream(version, pass)
      stream(version + 1, pass).base.update(from: before.base, count: before.rows * before.columns)
    }
    for branch in step.branches {
      let input = values(branch.input, pass)
      if let gain = branch.norm {
        normed(
          source.readOnly, gain, epsilon: shape.configuration.quantization?.innerNormEpsilon,
          into: input)
      } else if branch.copies {
        input.base.update(from: source.base, count: input.rows * input.columns)
      }
      if branch.quantizes { quantize(input, pass.scratch) }
      MatrixProduct.timesTransposed(
        input.readOnly, weights(branch), beta: step.stream == nil ? 0 : 1,
        into: values(branch.output, pass))
    }
  }

  // MARK: Places

  /// A matrix of the forward pass, for the sequence of `pass`.
  func values(_ place: Place, _ pass: SequencePass) -> MutableMatrixView<Float> {
    switch place.memory {
    case .stream(let version): stream(version, pass)
    case .kept(let index):
      place.view(saved[pass.layer].kept[index], first: pass.first, count: pass.count)
    case .scratch(let index):
      place.view(pass.scratch.matrices[index], first: 0, count: pass.count)
    case .shared: preconditionFailure("a value among gradients")
    }
  }

  /// The residual stream after `version` sums of the layer.
  func stream(_ version: Int, _ pass: SequencePass) -> MutableMatrixView<Float> {
    let sums = programs[pass.layer].sums
    let buffer =
      version == 0
      ? residuals[pass.layer]
      : version == sums ? residuals[pass.layer + 1] : saved[pass.layer].between[version - 1]
    return matrix(buffer, pass.first, pass.count, shape.hidden)
  }

  /// Rows `first..<first + count` of a `[tokens, columns]` buffer.
  func matrix(
    _ buffer: AlignedBuffer<Float>, _ first: Int, _ count: Int, _ columns: Int
  ) -> MutableMatrixView<Float> {
    MutableMatrixView(base: buffer.base + first * columns, rows: count, columns: columns)
  }

  /// The norm with these gains; `epsilon` is the block's where there is none.
  func normed(
    _ x: MatrixView<Float>, _ gain: Gain, epsilon: Float? = nil,
    into out: MutableMatrixView<Float>
  ) {
    let weight = gains(gain)
    for row in 0..<x.rows {
      VectorMath.rmsNorm(
        x.base + row * x.stride, weight: weight,
        epsilon: epsilon ?? shape.configuration.normEpsilon, into: out.base + row * out.stride,
        count: x.columns)
    }
  }

  /// Replaces `x` by what its quantized form stands for.
  private func quantize(_ x: MutableMatrixView<Float>, _ work: WorkerScratch) {
    let rows = work.rows(columns: x.columns)
    activations.quantize(x.readOnly, into: rows)
    Dequantization.write(rows, into: x.base)
  }

  // MARK: The head

  /// The last norm of rows `first..<first + count`, into `headInput`.
  func finalNorm(_ first: Int, _ count: Int) {
    normed(
      matrix(residuals[shape.layers], first, count, shape.hidden).readOnly,
      finalGain, into: matrix(headInput, first, count, shape.hidden))
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
              finish.apply(values)
              losses.base[chunk + index] = finish.loss(
                values, targets: base + first, gradientScale: gradientScale,
                scratch: scratch[worker].row.base)
            }
            if gradientScale != nil {
              headBackward(chunk + index, values.readOnly, scratch[worker])
            }
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

/// One sequence on its way through a layer.
struct SequencePass {
  let layer: Int
  let sequence: Int
  /// Its first token in the batch, and how many it has.
  let first: Int, count: Int
  /// What its worker writes over.
  let scratch: WorkerScratch
}

extension Place {
  /// `count` rows from row `first` of `buffer` on.
  func view(_ buffer: AlignedBuffer<Float>, first: Int, count: Int) -> MutableMatrixView<Float> {
    MutableMatrixView(
      base: buffer.base + first * stride + column, rows: count, columns: columns, stride: stride)
  }
}

/// Elements that workers write at disjoint indices.
struct UncheckedRows<Element>: @unchecked Sendable {
  let base: UnsafeMutableBufferPointer<Element>
}
