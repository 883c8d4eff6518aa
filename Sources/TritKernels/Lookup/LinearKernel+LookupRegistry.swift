import TritCore

extension Registry where Product == any LinearKernel {
  /// The lookup-table kernels.
  mutating func registerLookup() {}
}
