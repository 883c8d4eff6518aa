import TritAttention
import TritCore
import TritKernels
import TritQuantization

// The forward pass: the steps of `Schedule`, which come from the plan of the model's block.
extension Engine {
  /// Runs `tokens` at positions `first…` through all blocks; the stream then holds their last
  /// hidden states.
  func forward(_ tokens: some RandomAccessCollection<Int>, first: Int) throws {
    let count = tokens.count
    times.start()
    let stream = workspace.rows(.stream)
    for (row, token) in tokens.enumerated() {
      let values = stream.row(row)
      try embedding.load(token, into: values)
      guard let base = values.baseAddress else { continue }
      if let rotation = configuration.rotation, rotation.rotatesEmbedding {
        rotation.invert(base, count: values.count)
      }
      if configuration.embeddingMultiplier != 1 {
        VectorMath.scale(
          base, by: configuration.embeddingMultiplier, into: base, count: values.count)
      }
    }
    capture("embedding", stream.readOnly.rows(0..<count))
    times.end(.embedding)
    for step in schedule.steps {
      switch step {
      case .rows(let steps, let feed, let stage):
        run(steps, feed, count: count, first: first)
        times.end(stage)
      case .multiply(let step): multiply(step, count: count)
      case .attend(let step):
        attend(step, count: count, first: first)
        times.end(.attention)
      }
    }
  }

  /// Norms `rows` of the last hidden states and multiplies them by the head: logits
  /// `[rows, vocabulary]`.
  func logits(rows: Range<Int>) -> MatrixView<Float> {
    times.start()
    var input = normedStates(rows: rows)
    capture("output_norm", input)
    if let rotation = configuration.rotation, rotation.tensors.contains(headTensor) {
      let rotated = workspace.prepared(columns: input.columns).rows(0..<rows.count)
      pool.run(
        OneRowRegion(work: .hadamard(input, rotation, into: rotated)), count: rows.count,
        partsPerThread: 4)
      input = rotated.readOnly
    }
    times.end(.norm)
    let logits = workspace.logits.mutableView.rows(0..<rows.count)
    steps.project(input, into: logits)
    steps.finish(
      logits, multiplier: configuration.logitMultiplier, cap: configuration.logitSoftCap)
    capture("logits", logits.readOnly)
    times.end(.head)
    return logits.readOnly
  }

  /// The norm before the head of `rows` of the last hidden states, `[rows, hidden]`.
  func normedStates(rows: Range<Int>) -> MatrixView<Float> {
    let normed = workspace.rows(.normed).rows(0..<rows.count)
    let work = RowWork.norm(
      workspace.rows(.stream).readOnly.rows(rows), finalNorm, epsilon: configuration.normEpsilon,
      into: normed)
    pool.run(OneRowRegion(work: work), count: rows.count, partsPerThread: 4)
    return normed.readOnly
  }

  /// One region of operations on rows. A probe is shown what each of them gives.
  private func run(_ steps: [RowStep], _ feed: RowFeed?, count: Int, first: Int) {
    func region(_ steps: ArraySlice<RowStep>, _ feed: RowFeed?) {
      pool.run(
        RowRegion(steps: steps, feed: feed, first: first), count: count, partsPerThread: 4)
    }
    let own = feed.map {
      RowFeed(activations: $0.activations, input: $0.input.rows(0..<count), rows: $0.rows)
    }
    own?.rows.begin(rows: count, form: own?.activations.form ?? .float32)
    guard probe != nil else { return region(steps[...], own) }
    for (index, step) in steps.enumerated() {
      region(steps[index...index], nil)
      if let name = step.name { capture(name, step.work.result.rows(0..<count)) }
    }
    region([], own)
  }

  /// Multiplies quantized rows with the layers of a group.
  private func multiply(_ step: MultiplyStep, count: Int) {
    for layout in step.group.layouts { steps.build(layout, from: step.rows) }
    times.end(.quantize)
    let outputs = step.outputs.rows(0..<count)
    if let selective = step.selective, probe == nil {
      // Where the gate is not positive, ReLU² makes the product 0 whatever up is. A probe is shown
      // all rows.
      steps.multiply(step.group, step.rows, into: outputs, skipping: 1)
      steps.multiply(selective, step.rows, where: outputs[0].readOnly, into: outputs[1])
    } else {
      steps.multiply(step.group, step.rows, into: outputs)
    }
    times.end(.linear)
    if probe != nil { for (name, values) in step.shown { capture(name, values.rows(0..<count)) } }
  }

  /// Attention over the cache. A probe receives the softmax weights as `[heads · tokens, keys]`,
  /// head by head.
  private func attend(_ step: AttendStep, count: Int, first: Int) {
    // A probe sees the softmax weights of all queries as one matrix, filled by one thread.
    let scores =
      probe == nil
      ? nil : Matrix<Float>(rows: configuration.heads * count, columns: first + count)
    let weightsProbe = scores.map { scores -> AttentionProbe in
      { _, head, position, firstKey, weights in
        for (index, weight) in weights.enumerated() {
          scores[head * count + position - first, firstKey + index] = weight
        }
      }
    }
    steps.attend(
      step.query.rows(0..<count), step.attention, layer: step.layer, first: first,
      into: step.output.rows(0..<count), probe: weightsProbe)
    if let scores {
      capture("blk.\(step.layer).attn.scores", scores.view)
      capture("blk.\(step.layer).attn.out", step.output.readOnly.rows(0..<count))
    }
  }

  private func capture(_ name: String, _ values: MatrixView<Float>) {
    if let probe { probe(name, values) }
  }
}
