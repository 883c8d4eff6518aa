import TritCore

extension Registry where Product == any LinearKernel {
  mutating func registerInteger() {}
}
