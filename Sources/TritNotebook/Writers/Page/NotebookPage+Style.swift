extension NotebookPage {
  /// The page's look. Colours of code and text have a contrast of at least 4.5 in both schemes
  /// (WCAG 2.1, 1.4.3).
  static let style = """
    :root { color-scheme: light dark; --ink: #1b1f24; --paper: #fdfdfc; --soft: #59636e;
      --line: #d9dde1; --band: #f3f5f7; --accent: #0066a1; --bad: #a4262c; --card: #fdecea;
      --comment: #57606a; --string: #0a5a2b; --number: #8a3b00; --keyword: #9c1f6e;
      --type: #5b3db3; --directive: #00597a; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #15181b;
      --soft: #9aa4ad; --line: #363d44; --band: #1e2327; --accent: #6cb8ee; --bad: #ff9a94;
      --card: #3a1d1d; --comment: #98a2ac; --string: #8fd19e; --number: #f0b072;
      --keyword: #f49ac9; --type: #c0aaff; --directive: #7ccbe8; } }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; }
    main { max-width: 50rem; margin: 0 auto; padding: 1.25rem 1rem 4rem; overflow-wrap: break-word; }
    h1 { font-size: 1.8rem; } h2 { font-size: 1.35rem; } h3 { font-size: 1.1rem; }
    h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 2rem 0 .6rem; }
    h1:first-child { margin-top: 0; }
    p, ul, ol, blockquote { margin: .75rem 0; }
    ul, ol { padding-left: 1.6rem; }
    li > p:first-child { margin-top: .25rem; }
    a { color: var(--accent); text-underline-offset: .15em; }
    hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0; }
    blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line);
      color: var(--soft); }
    code, pre, kbd { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono",
      monospace; }
    code { font-size: .88em; background: var(--band); padding: .1em .3em; border-radius: 4px; }
    kbd { font-size: .85em; border: 1px solid var(--line); border-bottom-width: 2px;
      border-radius: 4px; padding: 0 .35em; }
    pre { font-size: 13px; line-height: 1.5; margin: .5rem 0; padding: .7rem .9rem;
      background: var(--band); border-radius: 6px; overflow: auto; tab-size: 4; }
    pre code { font-size: inherit; background: none; padding: 0; border-radius: 0; }
    .scroll { overflow-x: auto; margin: .75rem 0; }
    table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid var(--line);
      vertical-align: top; }
    thead th { color: var(--soft); }
    .cell { margin: 1.25rem 0; }
    .head { display: flex; flex-wrap: wrap; gap: 0 .7rem; font-size: .78rem; color: var(--soft); }
    .head a { color: inherit; text-decoration: none; }
    .language { font-weight: 600; }
    .seconds { margin-left: auto; font-variant-numeric: tabular-nums; }
    .bad { color: var(--bad); font-weight: 600; }
    pre.code { margin: .2rem 0 .5rem; border-left: 3px solid var(--accent); border-radius: 0 6px 6px 0; }
    .cell.c pre.code { border-color: #d55e00; }
    .cell.experiment pre.code { border-color: #009e73; }
    .c .c, .code .c { color: var(--comment); font-style: italic; }
    .code .s { color: var(--string); } .code .n { color: var(--number); }
    .code .k { color: var(--keyword); } .code .t { color: var(--type); }
    .code .p { color: var(--directive); }
    .outputs { margin: 0 0 1rem; }
    .outputs pre { background: none; border: 1px solid var(--line); max-height: 26rem; }
    .outputs pre.stderr { border-left: 3px solid var(--bad); }
    .display { overflow-x: auto; margin: .5rem 0; }
    .figure { display: block; margin: .75rem 0; overflow-x: auto; max-width: 100%; }
    .figure > svg, .figure > img { display: block; max-width: 100%; height: auto; }
    .wide > svg, .wide > img { width: 100%; min-width: 33rem; }
    .paper > svg, .paper > img { background: #fff; color: #000; border-radius: 6px; }
    .failure { background: var(--card); border-left: 3px solid var(--bad); border-radius: 0 6px 6px 0;
      padding: .6rem .9rem; margin: .5rem 0; }
    .failure p { margin: 0 0 .3rem; } .failure strong { color: var(--bad); }
    .failure code { background: none; }
    .failure pre, .outputs .failure pre { border: 0; background: none; padding: 0; margin: 0;
      white-space: pre-wrap; overflow-wrap: anywhere; }
    .failure.expected { background: var(--band); border-color: var(--soft); }
    .failure.expected strong { color: inherit; }
    .missing { color: var(--soft); }
    details { margin: .75rem 0; border: 1px solid var(--line); border-radius: 6px;
      padding: .4rem .8rem; }
    details.fold { border: 0; padding: 0; margin: .2rem 0; }
    summary { cursor: pointer; font-weight: 600; color: var(--accent); }
    details.fold summary { font-weight: 400; font-size: .88rem; }
    .contents { display: none; }
    .contents ul { list-style: none; padding: 0; margin: 0; }
    .contents li { margin: .3rem 0; line-height: 1.3; }
    .contents .level3 { padding-left: .9rem; }
    .contents a { color: var(--soft); text-decoration: none; }
    .contents a:hover { color: var(--accent); }
    .lessons { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .5rem 2rem;
      border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }
    .lessons .next { margin-left: auto; }
    @media (min-width: 75rem) {
      .contents { display: block; position: fixed; top: 0; left: 0; bottom: 0; width: 15rem;
        padding: 1.6rem 1rem; overflow-y: auto; font-size: .85rem;
        border-right: 1px solid var(--line); }
      .contents + main { margin-left: max(16rem, calc(50% - 25rem)); }
    }
    @media print {
      :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --band: #f5f5f5; }
      .contents, .lessons { display: none; }
      main { max-width: none; padding: 0; }
      .contents + main { margin-left: 0; }
      pre, .outputs pre { white-space: pre-wrap; overflow: visible; max-height: none; }
      .figure, .failure, tr { break-inside: avoid; }
      .wide > svg, .wide > img { min-width: 0; }
    }
    """
}
