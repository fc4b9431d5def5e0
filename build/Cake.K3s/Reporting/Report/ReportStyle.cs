namespace Cake.K3s.Reporting.Report;

/// <summary>How the report looks. Every pair of text and background has a contrast of 4.5 or more (WCAG 2.2, AA).</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root{--page:#fff;--card:#f5f6f8;--line:#d5d9e0;--text:#1b1f26;--quiet:#545c69;--link:#0b57b7;
          --good:#177245;--busy:#8a94a6;--doubtful:#9a6200;--bad:#b3261e;--on:#fff}
        @media(prefers-color-scheme:dark){:root{--page:#14171c;--card:#1e232b;--line:#363d49;--text:#e7eaf0;--quiet:#a4adbb;--link:#8ab8ff;
          --good:#5ecb92;--busy:#6f7b8f;--doubtful:#e5b25a;--bad:#ff9189;--on:#14171c}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
        body{margin:0 auto;padding:1rem;max-width:75rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        h1{font-size:1.6rem;margin:.25rem 0 .75rem}
        h2{font-size:1.15rem;margin:0 0 .75rem;padding-top:1.5rem}
        h3{font-size:1rem;margin:0 0 .25rem}
        p{margin:.4rem 0}
        a{color:var(--link)}
        code,pre{font:.85rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
        code{overflow-wrap:anywhere}
        pre{margin:.5rem 0;padding:.6rem .75rem;background:var(--card);border:1px solid var(--line);border-radius:.4rem;overflow:auto;max-height:28rem;white-space:pre-wrap;overflow-wrap:anywhere}
        .badge{display:inline-block;margin:0;padding:.1rem .7rem;border-radius:1rem;color:var(--on);font-weight:600}
        .badge.good{background:var(--good)}
        .badge.bad{background:var(--bad)}
        header dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0}
        dt{color:var(--quiet);font-size:.85rem}
        dd{margin:0;overflow-wrap:anywhere}
        .failure{margin-top:1rem;padding:.5rem 1rem;border:1px solid var(--bad);border-left-width:.4rem;border-radius:.4rem}
        nav{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1rem -1rem 0;padding:.6rem 1rem;background:var(--page);border-bottom:1px solid var(--line)}
        nav a{white-space:nowrap}
        section{scroll-margin-top:2.5rem}
        .card{margin:.75rem 0;padding:.75rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.4rem}
        .card pre{background:var(--page)}
        summary{cursor:pointer;padding:.15rem 0}
        details[open]>summary{margin-bottom:.25rem}
        .facts{display:grid;gap:.3rem;margin:.5rem 0 0}
        .facts div{display:grid;grid-template-columns:7rem 1fr;gap:.75rem}
        .facts dt{line-height:1.5rem}
        .quiet{color:var(--quiet)}
        .ok{color:var(--good)}
        .wrong{color:var(--bad)}
        .tag{display:inline-block;min-width:5rem;color:var(--quiet);font-size:.85rem}
        .changes{list-style:none;margin:0;padding:0}
        .changes li{padding:.3rem 0;border-bottom:1px solid var(--line)}
        .changes li>.tag{margin-left:1.05rem}
        .row{display:grid;grid-template-columns:15rem 1fr 9rem;gap:.75rem;align-items:center;padding:.15rem 0}
        .row .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        .row .note{color:var(--quiet);font-size:.85rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        .row.task .name{font-weight:600}
        .row.workload{margin-top:.5rem}
        .row.pod .name{padding-left:1rem;font-size:.85rem}
        .track{position:relative;height:1rem;background:var(--card);border-radius:.2rem;overflow:hidden}
        .pod .track{height:.6rem}
        .track i{position:absolute;top:0;bottom:0;border-radius:.1rem}
        i.good{background:var(--good)}i.busy{background:var(--busy)}i.doubtful{background:var(--doubtful)}i.bad{background:var(--bad)}
        .axis{display:flex;justify-content:space-between;margin:.25rem 9.75rem 0 15.75rem;color:var(--quiet);font-size:.85rem}
        .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;color:var(--quiet);font-size:.85rem}
        .legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem;border-radius:.15rem;vertical-align:-.1rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;margin:.5rem 0;min-width:min(100%,30rem)}
        th,td{padding:.3rem 1.5rem .3rem 0;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
        th{color:var(--quiet);font-weight:600;font-size:.85rem}
        td{font-variant-numeric:tabular-nums}
        footer{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--line);color:var(--quiet)}
        @media(max-width:45rem){
          .row{grid-template-columns:1fr auto;gap:0 .75rem}
          .row .track{grid-column:1/-1;order:3}
          .row .note{max-width:45vw}
          .axis{margin:.25rem 0 0}
          .facts div{grid-template-columns:1fr;gap:0}
          th,td{padding-right:.75rem}
        }
        @media print{nav{display:none}pre{max-height:none}}
        """;
}
