public import TritCore
public import TritKernels
public import TritQuantization

/// The stages that this notebook's models, races and experiments choose from: the program's, and
/// what cells have added.
nonisolated(unsafe) public var lab = Lab()

/// Adds a kernel under its own name; one of that name from another cell is replaced. Throws a usage
/// error for a name of the program's own.
public func add(_ kernel: any LinearKernel, _ summary: String = "a kernel of this notebook") throws
{
  let descriptor = StageDescriptor(
    kernel.name, summary: summary, source: "this notebook", kernel: KernelFacts())
  replace(.kernel, descriptor)
  try lab.add(.kernel, descriptor) { _ in kernel }
}

/// Adds a weight quantizer under its own name; one of that name from another cell is replaced.
/// Throws a usage error for a name of the program's own.
public func add(
  _ quantizer: any WeightQuantizer, _ summary: String = "a quantizer of this notebook"
) throws {
  let descriptor = StageDescriptor(quantizer.name, summary: summary, source: "this notebook")
  replace(.quantizer, descriptor)
  try lab.add(.quantizer, descriptor) { _ in quantizer }
}

/// Adds an activation quantizer under its own name; one of that name from another cell is replaced.
/// Throws a usage error for a name of the program's own.
public func add(
  _ activations: any ActivationQuantizer, _ summary: String = "a quantizer of this notebook"
) throws {
  let descriptor = StageDescriptor(activations.name, summary: summary, source: "this notebook")
  replace(.activations, descriptor)
  try lab.add(.activations, descriptor) { _ in activations }
}

/// Makes room for a stage that a cell adds: what another cell has called so goes.
func replace<Product>(_ kind: StageKind<Product>, _ descriptor: StageDescriptor) {
  // The lab cannot be asked while it is changed.
  let ofKind = Set(lab.kind(kind.key)?.descriptors.map(\.origin) ?? [])
  lab.removeGuests { known in
    guard known.name == descriptor.name, case .plugin = known.origin else { return false }
    return ofKind.contains(known.origin)
  }
}
