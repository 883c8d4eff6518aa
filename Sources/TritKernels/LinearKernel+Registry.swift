public import TritCore

extension StageKind where Product == any LinearKernel {
  /// How packed weights are multiplied with activations.
  public static var kernel: Self {
    Self(
      "kernel", stage: "kernel", scope: .layer, standard: StageChoice("auto"),
      help: "Linear kernel, or a packing for its fastest kernel", laws: { checkLinearKernel($0) },
      derive: { $0.registerAuto() })
  }
}

extension StageKey {
  /// The key of linear kernels.
  public static let kernel = StageKind<any LinearKernel>.kernel.key
}

extension Registry where Product == any LinearKernel {
  /// Every kernel that the lab ships; reference first.
  public static var standard: Registry<any LinearKernel> {
    var registry = Registry<any LinearKernel>(.kernel)
    registry.registerReferenceAndScalar()
    registry.registerLookup()
    registry.registerOpenBLAS()
    registry.registerI2S()
    registry.registerTernaryFloat()
    registry.registerBase3()
    registry.registerInteger()
    registry.registerSparse()
    registry.seal()
    return registry
  }
}
