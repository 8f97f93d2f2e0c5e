/**
 * The AWS calls of each handler, read out of the sources with TypeScript's own understanding of them: the methods of the ports
 * (lambda/ports.ts) that a handler's modules call, and the SDK commands that these methods send (lambda/aws.ts).
 */
import { posix } from "node:path";
import ts from "typescript";

// TypeScript writes paths with slashes everywhere.
const LAMBDA = posix.join(import.meta.dirname.replaceAll("\\", "/"), "../../../infra/lambda");

/** `s3:GetObject`: the client's package and the command's name, as the SDK has them. */
export type Call = string;

/** The calls of each handler, by the name of its file. */
export function callsOf(handlers: readonly string[]): Map<string, Set<Call>> {
  const files = handlers.map((name) => posix.join(LAMBDA, `${name}.ts`));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    types: ["node"],
  });
  const sends = commandsOfPorts(program);
  return new Map(
    handlers.map((name, i) => {
      const calls = new Set<Call>();
      for (const module of modulesOf(program, files[i]!)) {
        for (const method of portMethodsIn(program, module))
          for (const call of sends.get(method) ?? []) calls.add(call);
      }
      return [name, calls];
    }),
  );
}

/** A handler's own module and those that it imports for their values, directly or not; aws.ts is what they call, not who calls. */
function modulesOf(program: ts.Program, file: string, seen = new Set<ts.SourceFile>()): Set<ts.SourceFile> {
  const source = program.getSourceFile(file);
  if (!source || seen.has(source) || source.fileName === AWS) return seen;
  seen.add(source);
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || statement.importClause?.isTypeOnly) continue;
    const target = (statement.moduleSpecifier as ts.StringLiteral).text;
    if (target.startsWith(".") && target.endsWith(".ts")) modulesOf(program, posix.join(file, "..", target), seen);
  }
  return seen;
}

const AWS = posix.join(LAMBDA, "aws.ts");
const PORTS = posix.join(LAMBDA, "ports.ts");

/** Methods of the ports that a module calls, such as `Objects.get`. */
function portMethodsIn(program: ts.Program, module: ts.SourceFile): Set<string> {
  const checker = program.getTypeChecker();
  const found = new Set<string>();
  visit(module, (node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
    const method = checker.getSymbolAtLocation(node.expression.name)?.declarations?.[0];
    if (method && ts.isMethodSignature(method) && method.getSourceFile().fileName === PORTS) found.add(nameOf(method));
  });
  return found;
}

function nameOf(method: ts.MethodSignature): string {
  return `${(method.parent as ts.InterfaceDeclaration).name.text}.${method.name.getText()}`;
}

/** What each method of a port sends, through whichever functions of aws.ts. */
function commandsOfPorts(program: ts.Program): Map<string, Set<Call>> {
  const checker = program.getTypeChecker();
  const aws = program.getSourceFile(AWS)!;
  const sends = new Map<string, Set<Call>>();
  for (const adapter of aws.statements.filter(ts.isFunctionDeclaration)) {
    const type = adapter.type && checker.getTypeFromTypeNode(adapter.type);
    const made = adapter.body?.statements.find(ts.isReturnStatement)?.expression;
    if (!type || !made || !ts.isObjectLiteralExpression(made)) continue;
    for (const member of made.properties.filter(ts.isMethodDeclaration)) {
      const declared = type.getProperty(member.name.getText())?.declarations?.find(ts.isMethodSignature);
      if (declared) sends.set(nameOf(declared), commandsIn(program, member));
    }
  }
  return sends;
}

/** The commands that a piece of aws.ts makes, and those of the functions beside it that it calls. */
function commandsIn(program: ts.Program, node: ts.Node, seen = new Set<ts.Node>()): Set<Call> {
  const checker = program.getTypeChecker();
  const found = new Set<Call>();
  if (seen.has(node)) return found;
  seen.add(node);
  visit(node, (inner) => {
    if (ts.isNewExpression(inner) && inner.expression.getText().endsWith("Command")) {
      const imported = checker.getSymbolAtLocation(inner.expression)?.declarations?.find(ts.isImportSpecifier);
      const from = (imported?.parent.parent.parent as ts.ImportDeclaration | undefined)?.moduleSpecifier.getText();
      const service = /@aws-sdk\/client-([a-z0-9-]+)/.exec(from ?? "")?.[1];
      found.add(`${service}:${inner.expression.getText().replace(/Command$/, "")}`);
    } else if (ts.isCallExpression(inner) && ts.isIdentifier(inner.expression)) {
      const called = checker.getSymbolAtLocation(inner.expression)?.valueDeclaration;
      if (called?.getSourceFile().fileName === AWS)
        for (const call of commandsIn(program, called, seen)) found.add(call);
    }
  });
  return found;
}

function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
}
