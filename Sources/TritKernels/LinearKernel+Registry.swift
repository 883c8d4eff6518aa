public import TritCore

extension Registry where Product == any LinearKernel {
  /// Every kernel that the lab ships; reference first.
  public static var standard: Registry<any LinearKernel> {
    var registry = Registry<any LinearKernel>(stage: "kernel", key: "kernel")
    registry.registerReferenceAndScalar()
    registry.registerLookup()
    registry.registerOpenBLAS()
    registry.registerI2S()
    registry.registerBase3()
    registry.registerInteger()
    registry.registerSparse()
    registry.registerAuto()
    return registry
  }
}
