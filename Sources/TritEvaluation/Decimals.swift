#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Numbers as C's printf writes them, since scripts read the lines of llama-perplexity.
enum Decimals {
  /// `value` with `places` decimals, padded on the left to `width` (`%*.*f`).
  static func text(_ value: Double, _ places: Int, width: Int = 0) -> String {
    // The longest double in %f has 309 digits before the point.
    var buffer = [CChar](repeating: 0, count: 400 + places + width)
    let length = withVaList([Int32(width), Int32(places), value]) {
      vsnprintf(&buffer, buffer.count, "%*.*f", $0)
    }
    return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
