/** The page's rules; its colours are set before them. */
export const STYLE = `
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:30px;margin:0}h2{font-size:21px;margin:36px 0 12px}h3{font-size:16px;margin:0 0 8px}
header p,figcaption,.tiles span,dd{color:var(--muted)}
p,code,dt,dd,h3,figcaption,summary{overflow-wrap:anywhere}th,td{overflow-wrap:break-word}
code{font-size:.9em}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;padding:0;margin:20px 0 0;list-style:none}
.tiles li,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
.tiles span{display:block;font-size:14px}.tiles b{display:block;font-size:28px;line-height:1.25}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px;align-items:start}
figure{margin:0 0 16px;min-width:0}.grid figure{margin:0}
figure svg{display:block;width:100%;height:auto}figure svg.bar{height:30px;margin:4px 0 12px;border-radius:4px}
figcaption{font-size:14px;margin-top:8px}
table{border-collapse:collapse;font-size:14px}
th,td{text-align:left;padding:4px 16px 4px 0;border-bottom:1px solid var(--line);font-weight:400;vertical-align:top}
thead th{color:var(--muted)}th.number,td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto}.swatch{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:8px}
details{margin:12px 0}summary{cursor:pointer}
dl{font-size:14px;margin:12px 0 0}dt{font-weight:600}dd{margin:0 0 6px}
@media(max-width:600px){main{padding:16px 12px 32px}.tiles li,figure{padding:10px}th,td{padding-right:10px}}
@media print{main{max-width:none;padding:0}figure,tr{break-inside:avoid}body{background:#fff}}
`;
