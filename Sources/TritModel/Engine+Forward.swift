import TritAttention
import TritCore
import TritKernels
import TritQuantization

// The forward pass, in the order of the BitNet block (model card of b1.58 2B-4T; Llama without
// sub-norms): norm → int8 → q,k,v → rotary → cache → attention → sub-norm → int8 → o → add → norm →
// int8 → gate, up → activation → sub-norm → int8 → down → add. What lies between two matrix
// products is one region, row by row; the last add is done with what follows it. A decoded token
// meets the other threads five times a layer: q,k,v; attention; o; gate and up; down.
extension Engine {
  /// Runs `tokens` at positions `first…` through all blocks; `workspace.hidden` then holds their
  /// last hidden states.
  func forward(_ tokens: some RandomAccessCollection<Int>, first: Int) throws {
    let count = tokens.count
    times.start()
    for (row, token) in tokens.enumerated() {
      try embedding.load(token, into: workspace.hidden.mutableView.row(row))
    }
    capture("embedding", workspace.hidden.view.rows(0..<count))
    times.end(.embedding)
    for (layer, block) in blocks.enumerated() {
      attentionHalf(block, layer: layer, count: count, first: first)
      feedForwardHalf(block, layer: layer, count: count)
    }
    pool.run(residualSum(count), count: count, partsPerThread: 4)
    capture("out", blocks.count - 1, workspace.hidden.view.rows(0..<count))
    times.end(.activation)
  }

  /// Norms `rows` of the last hidden states and multiplies them by the head: logits
  /// `[rows, vocabulary]`.
  func logits(rows: Range<Int>) -> MatrixView<Float> {
    times.start()
    let hidden = workspace.hidden.view.rows(rows)
    let normed = workspace.normed(rows: rows.count, width: configuration.hiddenSize)
    pool.run(
      RowNorm(
        input: hidden, gains: finalNorm, epsilon: configuration.normEpsilon, output: normed),
      count: rows.count, partsPerThread: 4)
    capture("output_norm", normed.readOnly)
    times.end(.norm)
    let logits = workspace.logits.mutableView.rows(0..<rows.count)
    steps.project(normed.readOnly, into: logits)
    capture("logits", logits.readOnly)
    times.end(.head)
    return logits.readOnly
  }

  private func attentionHalf(_ block: Block, layer: Int, count: Int, first: Int) {
    let size = configuration.hiddenSize
    let hidden = workspace.hidden.view.rows(0..<count)
    let normed = workspace.normed(rows: count, width: size)
    let isFirst = layer == 0
    feed(
      normed.readOnly, to: block.attentionInput,
      RowSteps(
        residual: isFirst ? nil : residualSum(count),
        norm: rowNorm(hidden, block.attentionNorm, into: normed)))
    if !isFirst { capture("out", layer - 1, hidden) }
    capture("attn_norm", layer, normed.readOnly)
    times.end(.norm)
    let query = workspace.query.mutableView.rows(0..<count)
    let key = workspace.key.mutableView.rows(0..<count)
    let value = workspace.value.mutableView.rows(0..<count)
    project(normed.readOnly, block.attentionInput, into: ProjectionOutputs(query, key, value))
    capture("attn_q", layer, query.readOnly)
    capture("attn_k", layer, key.readOnly)
    capture("attn_v", layer, value.readOnly)
    pool.run(
      RotaryRegion(
        rotary: rotary, cache: cache, layer: layer, first: first, query: query, key: key,
        value: value.readOnly), count: count, partsPerThread: 4)
    capture("attn_q.rope", layer, query.readOnly)
    capture("attn_k.rope", layer, key.readOnly)
    times.end(.rotary)
    let attended = workspace.attended.mutableView.rows(0..<count)
    attend(layer: layer, query: query.readOnly, first: first, into: attended)
    capture("attn.out", layer, attended.readOnly)
    times.end(.attention)
    var input = attended.readOnly
    if let subNorm = block.attentionSubNorm {
      let sub = workspace.normed(rows: count, width: configuration.querySize)
      feed(
        sub.readOnly, to: block.attentionOutput,
        RowSteps(norm: rowNorm(attended.readOnly, subNorm, into: sub)))
      input = sub.readOnly
      capture("attn.sub_norm", layer, input)
    } else {
      feed(input, to: block.attentionOutput, RowSteps())
    }
    times.end(.norm)
    let projected = workspace.projected.mutableView.rows(0..<count)
    project(input, block.attentionOutput, into: ProjectionOutputs(projected))
    capture("attn_output", layer, projected.readOnly)
  }

  private func feedForwardHalf(_ block: Block, layer: Int, count: Int) {
    let hidden = workspace.hidden.view.rows(0..<count)
    let normed = workspace.normed(rows: count, width: configuration.hiddenSize)
    feed(
      normed.readOnly, to: block.feedForwardInput,
      RowSteps(
        residual: residualSum(count), norm: rowNorm(hidden, block.feedForwardNorm, into: normed)))
    capture("ffn_norm", layer, normed.readOnly)
    times.end(.norm)
    let gate = workspace.gate.mutableView.rows(0..<count)
    let up = workspace.up.mutableView.rows(0..<count)
    if configuration.activation == .relu2, probe == nil, let selective = block.selectiveUp {
      // Where the gate is not positive, ReLU² makes the product 0 whatever up is. A probe is shown
      // all rows.
      project(
        normed.readOnly, block.feedForwardInput, into: ProjectionOutputs(gate, up), skipping: 1)
      let rows = workspace.quantized(width: configuration.hiddenSize)
      steps.multiply(selective, rows, where: gate.readOnly, into: up)
      times.end(.linear)
    } else {
      project(normed.readOnly, block.feedForwardInput, into: ProjectionOutputs(gate, up))
    }
    capture("ffn_gate", layer, gate.readOnly)
    capture("ffn_up", layer, up.readOnly)
    var input = gate.readOnly
    let unit = GatedProduct(activation: configuration.activation, gate: gate, up: up.readOnly)
    if let subNorm = block.feedForwardSubNorm {
      let sub = workspace.normed(rows: count, width: configuration.feedForwardSize)
      feed(
        sub.readOnly, to: block.feedForwardOutput,
        RowSteps(unit: unit, norm: rowNorm(gate.readOnly, subNorm, into: sub)))
      capture("ffn.act", layer, gate.readOnly)
      input = sub.readOnly
      capture("ffn.sub_norm", layer, input)
    } else {
      feed(input, to: block.feedForwardOutput, RowSteps(unit: unit))
      capture("ffn.act", layer, gate.readOnly)
    }
    times.end(.activation)
    let projected = workspace.projected.mutableView.rows(0..<count)
    project(input, block.feedForwardOutput, into: ProjectionOutputs(projected))
    capture("ffn_down", layer, projected.readOnly)
  }

  /// Makes the rows of `input` by `steps` and quantizes them for the first of `groups`. A group
  /// with a norm of its own is left to `project`.
  private func feed(
    _ input: MatrixView<Float>, to groups: [ProjectionGroup], _ steps: RowSteps
  ) {
    let group = groups.first.flatMap { $0.innerNorm == nil ? $0 : nil }
    let rows = workspace.quantized(width: input.columns)
    if let group { rows.begin(rows: input.rows, form: group.activations.form) }
    pool.run(
      FeedRegion(steps: steps, input: input, activations: group?.activations, rows: rows),
      count: input.rows, partsPerThread: 4)
  }

  /// Multiplies `input`, quantized once a group (the first one's by `feed`), with each group's
  /// layers, but for those that write output `skipped`.
  private func project(
    _ input: MatrixView<Float>, _ groups: [ProjectionGroup], into outputs: ProjectionOutputs,
    skipping skipped: Int? = nil
  ) {
    for (index, group) in groups.enumerated() {
      let rows = workspace.quantized(width: input.columns)
      if index > 0 || group.innerNorm != nil {
        var input = input
        if let gains = group.innerNorm {
          let inner = workspace.inner(rows: input.rows, width: input.columns)
          pool.run(
            RowNorm(input: input, gains: gains, epsilon: group.innerEpsilon, output: inner),
            count: input.rows, partsPerThread: 4)
          input = inner.readOnly
          times.end(.norm)
        }
        rows.begin(rows: input.rows, form: group.activations.form)
        pool.run(
          QuantizeRegion(activations: group.activations, input: input, rows: rows),
          count: input.rows, partsPerThread: 4)
      }
      for layout in group.layouts { steps.build(layout, from: rows) }
      times.end(.quantize)
      steps.multiply(group, rows, into: outputs, skipping: skipped)
      times.end(.linear)
    }
  }

  /// A block's norm.
  private func rowNorm(
    _ input: MatrixView<Float>, _ gains: AlignedBuffer<Float>,
    into output: MutableMatrixView<Float>
  ) -> RowNorm {
    RowNorm(input: input, gains: gains, epsilon: configuration.normEpsilon, output: output)
  }

  /// The residual stream of `count` tokens and what o or down gave.
  private func residualSum(_ count: Int) -> ResidualSum {
    ResidualSum(
      stream: workspace.hidden.mutableView.rows(0..<count),
      added: workspace.projected.view.rows(0..<count))
  }

  /// Attention over the cache. A probe receives the softmax
  /// weights as `[heads · tokens, keys]`, head by head.
  private func attend(
    layer: Int, query: MatrixView<Float>, first: Int, into output: MutableMatrixView<Float>
  ) {
    // A probe sees the softmax weights of all queries as one matrix, filled by one thread.
    let scores =
      probe == nil
      ? nil
      : Matrix<Float>(
        rows: configuration.heads * query.rows, columns: first + query.rows)
    let weightsProbe = scores.map { scores -> AttentionProbe in
      { _, head, position, firstKey, weights in
        for (index, weight) in weights.enumerated() {
          scores[head * query.rows + position - first, firstKey + index] = weight
        }
      }
    }
    steps.attend(query, layer: layer, first: first, into: output, probe: weightsProbe)
    if let scores { capture("attn.scores", layer, scores.view) }
  }

  private func capture(_ name: String, _ values: MatrixView<Float>) {
    if let probe { probe(name, values) }
  }

  private func capture(_ name: String, _ layer: Int, _ values: MatrixView<Float>) {
    if let probe { probe("blk.\(layer).\(name)", values) }
  }
}
