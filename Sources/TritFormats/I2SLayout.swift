/// How the codes of I2_S tensors lie in a file: three ways, of equal size, that nothing in the file
/// tells apart.
///
/// Source: microsoft/BitNet, `src/ggml-bitnet-mad.cpp` (`quantize_i2_s` and its forms), issues 470
/// and 585.
public enum I2SLayout: String, Sendable, CaseIterable {
  /// Blocks of 128 weights, byte p of 32 holding p, 32 + p, 64 + p, 96 + p: what the official files
  /// have, and all of bitnet.cpp's converters write.
  case blocks128
  /// Blocks of 64 weights, byte p of 16 holding p, 16 + p, 32 + p, 48 + p: what bitnet.cpp's
  /// `llama-quantize` has written on ARM since November 2025.
  case arm64
  /// Four rows side by side: byte g K + k holds column k of the rows 4 g to 4 g + 3. Written on x86
  /// by builds without `ACT_PARALLEL`.
  case rows4

  /// What files that are opened in this task are taken for, where the caller does not say:
  /// `blocks128` unless `$assumed.withValue` says otherwise.
  @TaskLocal public static var assumed = I2SLayout.blocks128
}
