import TritAttention
import TritCore
import TritKernels

/// What an engine takes beside its weights: the rotary table, the buffers of a forward pass, and
/// the KV cache.
///
/// Everything that is allocated is in it, so that what does not fit this machine is said before a
/// word is run, and not by the system in the middle of a text.
package struct EngineMemory: Sendable {
  /// Bytes of the rotary tables.
  package let rotary: Int
  /// Bytes of the buffers of a chunk.
  package let workspace: Int
  /// Bytes of the KV cache; 0 until it is known.
  package var cache = 0
  /// Bytes that the layers' kernels add to the buffers of a chunk; 0 until they are known.
  package var kernels = 0
  /// Where the bytes of the workspace go.
  let layout: WorkspaceLayout
  private let context: Int
  private let chunk: Int

  init(
    _ plan: ModelPlan, context: Int, chunk: Int, threads: Int, attention: any Attention
  ) {
    self.context = context
    self.chunk = chunk
    rotary = Size.product(
      4, context, plan.configuration.ropeDimension, plan.configuration.rotaryTables)
    layout = WorkspaceLayout(
      plan, tokens: chunk, threads: threads, attention: attention, context: context)
    workspace = layout.bytes
  }

  /// All of it; `Int.max` beyond its range.
  package var total: Int { Size.sum(rotary, workspace, cache, kernels) }

  /// Throws a usage error where `memory` bytes, this machine's where nothing is said, cannot hold
  /// all.
  package func check(memory: Int = HostInformation.memoryBytes) throws {
    guard total <= memory else {
      var parts = [
        "\(rotary >> 20) MiB of rotary tables for \(context) positions",
        "\(Size.sum(workspace, kernels) >> 20) MiB for chunks of \(chunk) tokens",
      ]
      if cache > 0 { parts.append("\(cache >> 20) MiB of KV cache") }
      throw LabError(
        .usage, "the buffers of a forward pass do not fit into memory",
        expected: "at most \(memory >> 20) MiB", got: parts.joined(separator: ", "),
        advice: "ask for a shorter context (-c), smaller chunks (-ub), or the cache f16 or int8")
    }
    try MemoryLimit.require(
      Size.sum(rotary, workspace),
      for: "the buffers of a forward pass (\(context) positions, chunks of \(chunk) tokens)",
      advice: "ask for a shorter context (-c) or smaller chunks (-ub)")
  }
}
