import TritAttention
import TritCore
import TritKernels

/// What an engine takes beside weights and KV cache, which check themselves: the rotary table and the
/// buffers of a forward pass.
struct EngineMemory {
  /// Bytes of the rotary tables.
  let rotary: Int
  /// Bytes of the buffers of a chunk.
  let workspace: Int
  private let context: Int
  private let chunk: Int

  init(
    _ configuration: ModelConfiguration, context: Int, chunk: Int, threads: Int,
    attention: any Attention
  ) {
    self.context = context
    self.chunk = chunk
    rotary = Size.product(4, context, configuration.ropeDimension)
    workspace = Workspace.bytes(
      configuration, tokens: chunk, threads: threads, attention: attention, context: context)
  }

  /// Throws a usage error where this machine's memory cannot hold both.
  func check() throws {
    let memory = HostInformation.memoryBytes
    guard Size.sum(rotary, workspace) <= memory else {
      throw LabError(
        .usage, "the buffers of a forward pass do not fit into memory",
        expected: "at most \(memory >> 20) MiB",
        got: "\(rotary >> 20) MiB of rotary tables for \(context) positions and "
          + "\(workspace >> 20) MiB for chunks of \(chunk) tokens",
        advice: "ask for a shorter context (-c) or smaller chunks (-ub)")
    }
    try MemoryLimit.require(
      Size.sum(rotary, workspace),
      for: "the buffers of a forward pass (\(context) positions, chunks of \(chunk) tokens)",
      advice: "ask for a shorter context (-c) or smaller chunks (-ub)")
  }
}
