import TritCore
import TritKernels

extension ArenaContest {
  /// Why the outputs in `buffers` are wrong, found by asking the layer again under other
  /// circumstances.
  ///
  /// Each question changes one thing that a product depends on, or one that it must not depend on,
  /// and looks whether the outputs change with it.
  func diagnosis(
    _ layer: any PreparedLinear, _ weights: ArenaWeights, _ buffers: ArenaBuffers,
    _ mismatch: ArenaWeights.Mismatch
  ) -> String {
    let place = "token \(mismatch.token), row \(mismatch.row)"
    if isPassedThrough(layer, buffers) { return "hands its inputs through as outputs" }
    let first = ask(layer, buffers, outputs: 0xFF)
    // What outputs and scratch held before must not matter.
    let second = ask(layer, buffers, outputs: 0x41)
    if first != second {
      let untouched = first.indices.filter { first[$0] == ~0 && second[$0] == 0x4141_4141 }
      if untouched.count == first.count { return "wrote no output at all" }
      if let index = untouched.first {
        let rows = layer.rows
        return "left outputs unwritten (token \(index / rows), row \(index % rows))"
      }
      return "reads stale outputs: they change with what they held before the call"
    }
    if ask(layer, buffers, scratch: 0x00) != ask(layer, buffers, scratch: 0x11) {
      return "reads stale scratch: outputs change with what the scratch held before the call"
    }
    let wrong = "\(place): \(mismatch.found) for \(mismatch.expected)"
    // Outputs of one number teach nothing: a kernel that gives zeros keeps nothing.
    guard Set(first).count > 2 else { return wrong }
    // Other activations must give other outputs, ...
    buffers.fill(&random)
    if ask(layer, buffers) == first { return replay(layer, first, buffers) }
    // ... and so must other weights.
    let other = ArenaWeights(WeightShape(layer.rows, layer.columns), &random)
    if let next = try? contestant.prepare(other) {
      let before = ask(layer, buffers)
      if ask(next, buffers) == before {
        return "multiplies with the weights of an earlier layer of the same shape"
      }
    }
    return wrong
  }

  /// What a layer that gives `old` for any activations in `buffers` goes by.
  private func replay(
    _ layer: any PreparedLinear, _ old: [UInt32], _ buffers: ArenaBuffers
  ) -> String {
    let shape = WeightShape(layer.rows, layer.columns)
    let elsewhere = ArenaBuffers(shape, tokens: buffers.x.rows)
    elsewhere.fill(&random)
    if ask(layer, elsewhere) != old {
      return "replays outputs by the address of the activations: other values in the same place "
        + "give the same outputs, in another place others"
    }
    let longer = ArenaBuffers(shape, tokens: buffers.x.rows + 1)
    longer.fill(&random)
    if !ask(layer, longer).starts(with: old) {
      return "replays outputs by shape: any activations of this shape give the same outputs"
    }
    return "replays the outputs of an earlier call, whatever it is asked"
  }

  /// The bits of the outputs of a call with the activations in `buffers`.
  private func ask(
    _ layer: any PreparedLinear, _ buffers: ArenaBuffers,
    outputs: UInt8 = 0xFF, scratch: UInt8 = 0
  ) -> [UInt32] {
    buffers.reset(contestant.form, outputs: outputs, scratch: scratch)
    runner.multiply(layer, buffers)
    return buffers.copy.map(\.bitPattern)
  }

  private func isPassedThrough(_ layer: any PreparedLinear, _ buffers: ArenaBuffers) -> Bool {
    let (x, y) = (buffers.x, buffers.y)
    let count = min(layer.rows, layer.columns)
    guard count >= 4 else { return false }
    return (0..<count).allSatisfy { y.base[$0] == Float(x.values[$0]) }
      || (0..<count).allSatisfy { y.base[$0] == Float(x.values[$0]) * x.scales[0] }
  }
}
