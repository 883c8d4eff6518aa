import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A standard normal number (Box and Muller 1958; one of the pair).
func gaussian(_ random: inout SeededRandom) -> Double {
  let radius = (-2 * log(1 - random.uniform())).squareRoot()
  return radius * cos(2 * Double.pi * random.uniform())
}
