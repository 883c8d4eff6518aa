public import TritCore

extension Registry where Product == any Packing {
  /// Every packing that the lab ships; reference first.
  public static var standard: Registry<any Packing> {
    let registry = Registry<any Packing>(stage: "packing", key: "packing")
    return registry
  }
}
