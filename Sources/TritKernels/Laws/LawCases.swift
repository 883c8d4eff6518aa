import TritCore

extension WeightShape {
  /// What law checkers try: one row and one column, just below and above every block size in use,
  /// primes, and the row lengths of real models with few rows.
  public static let awkward: [WeightShape] = [
    WeightShape(1, 1), WeightShape(3, 31), WeightShape(5, 127), WeightShape(1, 128),
    WeightShape(17, 129), WeightShape(32, 24), WeightShape(32, 32), WeightShape(33, 256),
    WeightShape(64, 96), WeightShape(96, 104), WeightShape(96, 384), WeightShape(64, 1000),
    WeightShape(160, 640), WeightShape(128, 768), WeightShape(37, 1536), WeightShape(64, 2560),
    WeightShape(32, 6912), WeightShape(32, 8640),
  ]
}

extension ProductSample.Form {
  /// What law checkers try.
  static let all: [ProductSample.Form] =
    [.tensor, .row, .group(32), .group(256)].map { ProductSample.Form(bits: nil, granularity: $0) }
    + [
      ProductSample.Form(bits: 8, granularity: .row),
      ProductSample.Form(bits: 4, granularity: .group(32)),
      ProductSample.Form(bits: 2, granularity: .tensor),
    ]
}
