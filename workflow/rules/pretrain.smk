# Pretraining, one job for each row, run and seed.
rule pretrain:
    input:
        unpack(plan.pretrain_inputs),
        dataset=DATASET,
        splits=SPLIT_TABLE,
    output:
        weights=f"{RUN}/model.safetensors",
        description=f"{RUN}/model.json",
        log=f"{RUN}/log.csv",
        mined=f"{RUN}/mined.csv",
        representation=f"{RUN}/representation.npz",
    log:
        f"{RESULTS}/logs/pretrain/{{method}}/{{run}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{method}}/{{run}}/seed-{{seed}}.tsv"
    wildcard_constraints:
        run=r"(?!adapted-).+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(120),
        gpu=plan.gpus,
    params:
        dataset=dataset_folder,
        config=lambda wildcards: plan.depends_on.pretrain(wildcards.method),
        code=lambda wildcards: plan.code(
            "pretrain", plan.method_modules(wildcards.method)
        ),
        run=lambda wildcards: plan.run_options(wildcards.run),
        given=lambda wildcards: options(plan.pretrain_inputs(wildcards)),
    shell:
        "python -m neural_action pretrain --config {params.config:q} --method {wildcards.method} --dataset {params.dataset:q}"
        " --splits {input.splits:q} {params.run:q} --seed {wildcards.seed} {params.given:q}"
        " --threads {threads} --output {output.weights:q} --log {output.log:q} --mined {output.mined:q}"
        " --representation {output.representation:q} 2> {log:q}"


# Adapts a model to the animal that its pretraining did not see. The adapted model is a run of its own, so that later
# rules treat it like any other run.
rule adapt:
    input:
        unpack(plan.pretrain_inputs),
        dataset=DATASET,
        splits=SPLIT_TABLE,
        start=lambda wildcards: plan.unadapted(wildcards, RUN),
    output:
        weights=f"{RUN}/model.safetensors",
        description=f"{RUN}/model.json",
        log=f"{RUN}/log.csv",
        representation=f"{RUN}/representation.npz",
    log:
        f"{RESULTS}/logs/adapt/{{method}}/{{run}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/adapt/{{method}}/{{run}}/seed-{{seed}}.tsv"
    wildcard_constraints:
        run=r"adapted-.+-fold-\d+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=plan.gpus,
    params:
        dataset=dataset_folder,
        config=lambda wildcards: plan.depends_on.adapt(wildcards.method),
        code=lambda wildcards: plan.code("adapt", plan.method_modules(wildcards.method)),
        run=lambda wildcards: plan.run_options(wildcards.run),
        given=lambda wildcards: options(plan.pretrain_inputs(wildcards)),
    shell:
        "python -m neural_action adapt --config {params.config:q} --method {wildcards.method} --dataset {params.dataset:q}"
        " --splits {input.splits:q} {params.run:q} --seed {wildcards.seed} --weights {input.start:q} {params.given:q}"
        " --threads {threads} --output {output.weights:q} --log {output.log:q}"
        " --representation {output.representation:q} 2> {log:q}"
