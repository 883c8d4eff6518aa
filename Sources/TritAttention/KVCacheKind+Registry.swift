public import TritCore

extension Registry where Product == any KVCacheKind {
  /// Every KV cache that the lab ships; reference first.
  public static var standard: Registry<any KVCacheKind> {
    let registry = Registry<any KVCacheKind>(stage: "KV cache", key: "cache")
    return registry
  }
}
