public import TritCore

extension Registry where Product == any OutputHead {
  /// Every output head that the lab ships; reference first.
  public static var standard: Registry<any OutputHead> {
    let registry = Registry<any OutputHead>(stage: "output head", key: "head")
    return registry
  }
}
