# Tables (as in the papers) and pictures from scores.
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{format}}",
    table=plan.tables,
    format=["csv", "md", "tex", "html"],
)
FIGURES = expand(
    f"{RESULTS}/figures/{{picture}}.png",
    picture=plan.pictures,
)
# Only if a row trains with the kernel: it cannot be fitted to spikes or to movement without rests.
KERNEL_PICTURE = f"{RESULTS}/calcium/{plan.first_run}.png" if plan.fits_kernel else []
CONSISTENCY = f"{RESULTS}/consistency.csv" if "consistency" in plan.tables else []


rule tables:
    input:
        scores=f"{RESULTS}/scores.csv",
        unseen=f"{RESULTS}/scores_unseen_animal.csv" if plan.settings.adapt.rows else [],
        consistency=CONSISTENCY,
    output:
        [path for path in TABLES if not path.endswith("html")],
        **{
            Path(path).stem: report(
                path,
                caption=f"../report/{Path(path).stem}.rst",
                category="Tables",
                labels={"table": Path(path).stem.replace("_", " ")},
            )
            for path in TABLES
            if path.endswith("html")
        },
    log:
        f"{RESULTS}/logs/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        config=plan.depends_on.tables,
        code=plan.code("tables"),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
        given=lambda wildcards, input: options(
            {"unseen": input.unseen, "consistency": input.consistency}
        ),
    shell:
        "python -m neural_action tables --config {params.config:q} --scores {input.scores:q} {params.given:q} --output {params.folder:q} 2> {log:q}"


rule figures:
    input:
        dataset=DATASET,
        scores=f"{RESULTS}/scores.csv",
        consistency=CONSISTENCY,
        swaps=plan.swap_tables[:1],
        embeddings=expand(
            f"{RUN}/embedding.npz",
            method=plan.methods,
            run=plan.runs,
            seed=plan.settings.seeds[0],
        ),
        logs=[
            f"{RUN}/log.csv".format(method=method, run=run, seed=seed)
            for method in plan.trained
            for run in plan.pretrained(method)
            for seed in plan.settings.seeds
        ],
        mined=[
            f"{RUN}/mined.csv".format(method=method, run=run, seed=seed)
            for method in plan.mining
            for run in plan.pretrained(method)
            for seed in plan.settings.seeds
        ],
    output:
        **{
            Path(path).stem: report(
                path,
                caption=f"../report/{Path(path).stem}.rst",
                category="Pictures",
                labels={"picture": Path(path).stem, "run": ""},
            )
            for path in FIGURES
        },
    log:
        f"{RESULTS}/logs/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(20),
    params:
        dataset=dataset_folder,
        config=plan.depends_on.tables,
        code=plan.code("figures"),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
        given=lambda wildcards, input: options(
            {"swaps": "".join(input.swaps), "consistency": input.consistency}
        ),
        embeddings=lambda wildcards, input: [
            f"--embedding={path}" for path in input.embeddings
        ],
        logs=lambda wildcards, input: [f"--log={path}" for path in input.logs],
        mined=lambda wildcards, input: [f"--mined={path}" for path in input.mined],
    shell:
        "python -m neural_action figures --config {params.config:q} --dataset {params.dataset:q} --scores {input.scores:q}"
        " {params.embeddings:q} {params.logs:q} {params.mined:q} {params.given:q} --output {params.folder:q} 2> {log:q}"


# The configuration and the package versions that a result was made with.
rule resolved_config:
    output:
        f"{RESULTS}/config.yaml",
    log:
        f"{RESULTS}/logs/resolved_config.log",
    benchmark:
        f"{RESULTS}/benchmarks/resolved_config.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(500),
        runtime=grows(5),
    params:
        config=lambda wildcards: plan.depends_on.everything,
        code=plan.code("resolve"),
    shell:
        "python -m neural_action resolve --config {params.config:q} --output {output:q} 2> {log:q}"
