extension Report {
  /// The style sheet of `report.html`: it follows the reader's colour scheme, and so do the
  /// figures, each by a sheet of its own. Nothing is wider than the page: what must be scrolls in
  /// its box, the first column stays.
  static let style = """
    :root { --ink: #1b1f24; --paper: #fdfdfc; --soft: #5c6670; --line: #d9dde1; --band: #f1f3f5;
      --mark: #fff1c9; --accent: #0072b2; --warn: #b84a00; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #15181b; --soft: #9aa4ad;
      --line: #333a40; --band: #1e2327; --mark: #4a3c10; --accent: #56b4e9; --warn: #ff9d5c; } }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.55 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
    h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
    h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
    h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
    h4 { font-size: .95rem; margin: 0 0 .25rem; color: var(--accent); }
    .lead { color: var(--soft); max-width: 42rem; }
    .warning, .status { color: var(--warn); font-weight: 600; }
    .answer { font-size: 1.2rem; line-height: 1.4; margin: 1rem 0 .5rem; padding: .8rem 1rem;
      background: var(--band); border-left: 4px solid var(--accent); overflow-wrap: anywhere; }
    .more { margin: .25rem 0 0; padding-left: 1.2rem; color: var(--soft); font-size: .92rem;
      overflow-wrap: anywhere; }
    .scroll { overflow-x: auto; max-width: 100%; }
    .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    table { border-collapse: collapse; font-size: .92rem; min-width: 100%; }
    th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid var(--line);
      white-space: nowrap; }
    thead th { color: var(--soft); font-weight: 600; }
    tbody th { font-weight: 600; }
    th:first-child { position: sticky; left: 0; background: var(--paper); min-width: 9rem; max-width: 18rem;
      white-space: normal; overflow-wrap: anywhere; }
    tr.reference th:first-child { background: var(--band); }
    summary { cursor: pointer; color: var(--soft); font-size: .92rem; padding: .5rem 0; }
    @media (max-width: 36rem) { th:first-child { max-width: 9rem; min-width: 6rem; }
      th, td { padding: .35rem .5rem; } h1 { font-size: 1.5rem; } }
    .number { text-align: right; font-variant-numeric: tabular-nums; }
    tr.reference { background: var(--band); font-style: italic; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem;
      font-size: .88rem; color: var(--soft); }
    dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
    @media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
    figure { margin: 2rem 0; }
    figure svg { display: block; width: 100%; min-width: 760px; height: auto; border-radius: 6px; }
    @media print { figure, tr { break-inside: avoid; } details > dl { display: grid; } }
    figcaption { font-size: .85rem; color: var(--soft); margin-top: .4rem; overflow-wrap: anywhere; }
    .texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
    .texts section { background: var(--band); border-radius: 6px; padding: .8rem 1rem; }
    .texts p { margin: 0; overflow-wrap: anywhere; }
    mark { background: var(--mark); color: inherit; }
    .note { color: var(--soft); font-size: .85rem; margin-top: .5rem !important; }
    pre { background: var(--band); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto;
      white-space: pre-wrap; }
    """
}
