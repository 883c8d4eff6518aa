public import TritCore

extension Registry where Product == any Attention {
  /// Every attention that the lab ships; reference first.
  public static var standard: Registry<any Attention> {
    let registry = Registry<any Attention>(stage: "attention", key: "attention")
    return registry
  }
}
